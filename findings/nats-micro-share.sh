#!/bin/sh
# The services of nats.go 1.55.0 (package micro): two different services on one subject each get a part of the requests.
#
# Guess, written down before the first run: instances of *one* service share its requests; a second service of another name with an
# endpoint on the same subject gets each request too.
# Seen: all services are in one queue group, "q", unless they are given another: "billing" and "audit" get some of the requests
# each, neither is told, and every asker has its answer. With QueueGroupDisabled each gets all.
#
# For those who come from NATS: here one Replier is bound to a name and a second is refused; what should hear each Request as well
# binds as a Listener.
#
# Needs Go. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
go_program github.com/nats-io/nats-server/v2@v2.15.2 github.com/nats-io/nats.go@v1.55.0 <<'E'
package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

const requests = 200

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// heard says how many of the requests each of two services was given.
func heard(url string, groupDisabled bool) (heard [2]int64) {
	var count [2]atomic.Int64
	for i, name := range []string{"billing", "audit"} {
		c, err := nats.Connect(url)
		check(err)
		defer c.Close()
		_, err = micro.AddService(c, micro.Config{Name: name, Version: "1.0.0", QueueGroupDisabled: groupDisabled,
			Endpoint: &micro.EndpointConfig{Subject: "orders.new", Handler: micro.HandlerFunc(func(r micro.Request) {
				count[i].Add(1)
				r.Respond(nil)
			})}})
		check(err)
		check(c.Flush())
	}
	asker, err := nats.Connect(url)
	check(err)
	defer asker.Close()
	for range requests {
		_, err := asker.Request("orders.new", nil, 10*time.Second)
		check(err)
	}
	for range 100 { // the slower of two answers
		if groupDisabled && count[0].Load()+count[1].Load() == 2*requests {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return [2]int64{count[0].Load(), count[1].Load()}
}

func main() {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true})
	check(err)
	s.Start()
	defer s.Shutdown()
	n := heard(s.ClientURL(), false)
	fmt.Fprintln(os.Stderr, "billing and audit heard", n, "of", requests)
	fmt.Println("two services, as they come: together", n[0]+n[1], "of 200; each heard some:", n[0] > 0 && n[1] > 0)
	fmt.Println("two services, QueueGroupDisabled:", heard(s.ClientURL(), true))
}
E
timeout 60 ./run >seen
as_found <<'E'
two services, as they come: together 200 of 200; each heard some: true
two services, QueueGroupDisabled: [200 200]
E
