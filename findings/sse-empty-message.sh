#!/bin/sh
# r3labs/sse 2.10.0 (server-sent events for Go): an empty message ends every subscription, and what stands behind a line feed is lost.
#
# Guess, written down before the first run: an empty message comes as an event with empty data, or not at all, and the next one comes. A
# text of two lines comes as it is, as the format has a way to write it.
# Seen: the server ends the connection of each subscriber instead of sending the empty message. The library's own client takes this for the
# end: Subscribe returns nil, without an error, and hears nothing more, though it connects again when the network fails. eventsource 5.1.5
# (npm), as browsers do, connects again after 3 seconds, and gets the message before the empty one a second time. Of "a\nb" only "a" comes,
# and of a text that begins with a colon nothing. With SplitData, of which the README says nothing, both come whole; the empty one does not.
#
# For a bridge from KBUS to browsers: many Announcements have no data, so put each into JSON; set SplitData; call Subscribe again when it
# returns, whatever it returns.
#
# Needs Go, Node.js and npm. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
npm_packages eventsource@5.1.5
go_program github.com/r3labs/sse/v2@v2.10.0 <<'E'
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/r3labs/sse/v2"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	at := "http://" + l.Addr().String()
	for _, split := range []bool{false, true} {
		s := sse.New()
		s.SplitData = split
		s.CreateStream("news")
		path := fmt.Sprintf("/%v/", split)
		http.HandleFunc(path+"events", s.ServeHTTP)
		http.HandleFunc(path+"publish", func(w http.ResponseWriter, r *http.Request) {
			s.Publish("news", &sse.Event{Data: []byte(r.FormValue("data"))})
		})
		var lock sync.Mutex
		heard := []string{}
		hear := func(text string) {
			lock.Lock()
			defer lock.Unlock()
			heard = append(heard, text)
		}
		http.HandleFunc(path+"heard", func(w http.ResponseWriter, r *http.Request) {
			lock.Lock()
			defer lock.Unlock()
			check(json.NewEncoder(w).Encode(heard))
		})
		go func() {
			err := sse.NewClient(at+path+"events").Subscribe("news", func(e *sse.Event) { hear(string(e.Data)) })
			hear(fmt.Sprint("Subscribe returned ", err))
		}()
	}
	fmt.Println("at", at)
	check(http.Serve(l, nil))
}
E
cat >main.mjs <<'E'
import { EventSource } from 'eventsource'
const at = process.argv[2], pause = ms => new Promise(done => setTimeout(done, ms))
for (const split of [false, true]) {
  const url = `${at}/${split}/`, heard = [], events = new EventSource(url + 'events?stream=news')
  events.onmessage = e => heard.push(e.data)
  const inGo = async () => (await fetch(url + 'heard')).json()
  const publish = data => fetch(url + 'publish', { method: 'POST', body: new URLSearchParams({ data }) })
  for (const data of ['one', 'two']) await publish(data)
  while (!heard.includes('two') || !(await inGo()).includes('two')) await pause(20)
  for (const data of ['', 'three', 'a\nb', ':c', 'end']) await publish(data)
  while (!heard.includes('end')) await pause(20)
  console.log(`SplitData ${split}, eventsource:`, JSON.stringify(heard))
  console.log(`SplitData ${split}, Go:`, JSON.stringify(await inGo()))
  events.close()
}
process.exit()
E
./run >server 2>&1 & pids=$!
until_said server at
read -r _ address <server
timeout 60 node main.mjs "$address" >seen
as_found <<'E'
SplitData false, eventsource: ["one","two","two","three","a","end"]
SplitData false, Go: ["one","two","Subscribe returned <nil>"]
SplitData true, eventsource: ["one","two","two","three","a\nb",":c","end"]
SplitData true, Go: ["one","two","Subscribe returned <nil>"]
E
