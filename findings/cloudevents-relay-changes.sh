#!/bin/sh
# cloudevents 10.0.0 (npm): an event that is only passed on is another one, in its time and in what kind of value it holds.
#
# Guess, written down before the first run: what toEvent has read, binary and structured write with the time as it was. (About the
# data nothing was guessed: what becomes of them was seen in that run.)
# Seen: the time is cut to milliseconds, so events of one millisecond have one time. JSON data that are a single value change kind: from binary
# to structured mode the number 5 becomes the string "5" and true becomes "true"; to binary mode the string "5" becomes the number 5, and of "on"
# the quotes are lost, so that it is no JSON any more, though the content type says so: CloudEvents' SDK for Go 2.16.2, which reads all that
# came in, refuses it. Objects and arrays stay as they are.
#
# For a bridge with CloudEvents: put what is sent into an object or an array, and a number for the order beside the time.
#
# Needs npm, Node.js and Go. Opens no socket.
. "$(dirname "$0")/begin.sh"
npm_packages cloudevents@10.0.0
go_program github.com/cloudevents/sdk-go/v2@v2.16.2 <<'E'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// The standard input is a row of requests, each with an event, and says how it came to be.
func main() {
	for in := json.NewDecoder(os.Stdin); in.More(); {
		var m struct {
			What, Body string
			Headers    map[string]string
		}
		check(in.Decode(&m))
		h := http.Header{}
		for k, v := range m.Headers {
			h.Set(k, v)
		}
		e, err := binding.ToEvent(context.Background(), cehttp.NewMessage(h, io.NopCloser(strings.NewReader(m.Body))))
		check(err)
		var value any
		kind := "refused"
		if err := e.DataAs(&value); err == nil {
			kind = fmt.Sprintf("%T", value)
		}
		fmt.Printf("%s: %s, %s\n", m.What, e.Time().Format("05.999999"), kind)
	}
}
E
cat >main.js <<'E'
const { HTTP } = require('cloudevents')
const time = '2026-01-02T03:04:05.123456Z', attributes = { id: '1', source: '/a', type: 't', specversion: '1.0' }
for (const value of [5, true, '5', 'on', ['on']]) {
  const headers = { 'ce-time': time, 'content-type': 'application/json' }
  for (const name in attributes) headers['ce-' + name] = attributes[name]
  const whole = { ...attributes, time, datacontenttype: 'application/json', data: value }
  const came = {
    binary: { headers, body: JSON.stringify(value) },
    structured: { headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify(whole) }
  }
  const say = (what, { headers, body }) => console.log(JSON.stringify({ what: `${JSON.stringify(value)} ${what}`, headers, body: String(body) }))
  for (const from in came) {
    say(`in ${from}`, came[from])
    for (const to in came) say(`from ${from} to ${to}`, HTTP[to](HTTP.toEvent(came[from])))
  }
}
E
node main.js >events
timeout 30 ./run <events >seen
as_found <<'E'
5 in binary: 05.123456, float64
5 from binary to binary: 05.123, float64
5 from binary to structured: 05.123, string
5 in structured: 05.123456, float64
5 from structured to binary: 05.123, float64
5 from structured to structured: 05.123, float64
true in binary: 05.123456, bool
true from binary to binary: 05.123, bool
true from binary to structured: 05.123, string
true in structured: 05.123456, bool
true from structured to binary: 05.123, bool
true from structured to structured: 05.123, bool
"5" in binary: 05.123456, string
"5" from binary to binary: 05.123, float64
"5" from binary to structured: 05.123, string
"5" in structured: 05.123456, string
"5" from structured to binary: 05.123, float64
"5" from structured to structured: 05.123, string
"on" in binary: 05.123456, string
"on" from binary to binary: 05.123, refused
"on" from binary to structured: 05.123, string
"on" in structured: 05.123456, string
"on" from structured to binary: 05.123, refused
"on" from structured to structured: 05.123, string
["on"] in binary: 05.123456, []interface {}
["on"] from binary to binary: 05.123, []interface {}
["on"] from binary to structured: 05.123, []interface {}
["on"] in structured: 05.123456, []interface {}
["on"] from structured to binary: 05.123, []interface {}
["on"] from structured to structured: 05.123, []interface {}
E
