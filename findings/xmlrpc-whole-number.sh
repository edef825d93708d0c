#!/bin/sh
# xmlrpc 1.3.2 (npm) and kolo/xmlrpc of 2022-09-21 (Go): a measured value that happens to be whole, and the client answers nothing any more.
#
# Guess, written down before the first run: a server in Node.js that has 20.5 and then 20 is read into a float64 in Go as 20.5 and 20.
# Seen: 20 is sent as an <int>, and the Go client refuses to put an int into a float64 (its README lists which goes into which, and not
# what comes next). After this error each further call of the same client fails with "connection is shut down", also one that went well
# before: the first answer of another type than was asked for ends the client. An answer that says that something went wrong (a fault)
# ends nothing.
#
# For a gateway from ROS 1 or Homematic, which speak XML-RPC: read into an `any` in Go, a new one for each call, and convert; after any
# other error than a fault make a new client. On KBUS data are bytes, and a Reply that is not understood ends nothing.
#
# Needs Go, Node.js and npm. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
npm_packages xmlrpc@1.3.2
go_program github.com/kolo/xmlrpc@v0.0.0-20220921171641-a4b6fa1dd06b <<'E'
package main

import (
	"fmt"
	"os"

	"github.com/kolo/xmlrpc"
)

func main() {
	client := func() *xmlrpc.Client {
		c, err := xmlrpc.NewClient(os.Args[1], nil)
		if err != nil {
			panic(err)
		}
		return c
	}
	c := client()
	read := func(value string) {
		var f float64
		if err := c.Call("read", value, &f); err != nil {
			fmt.Printf("%s: %v\n", value, err)
		} else {
			fmt.Printf("%s: %v\n", value, f)
		}
	}
	read("20.5")
	read("no such value")
	read("20.5")
	read("20")
	read("20.5")
	c = client()
	read("20.5")
	for _, value := range []string{"20.5", "20"} {
		var v any
		if err := c.Call("read", value, &v); err != nil {
			panic(err)
		}
		fmt.Printf("into an any: %T %v\n", v, v)
	}
}
E
cat >main.js <<'E'
const server = require('xmlrpc').createServer({ host: '127.0.0.1', port: 0 }, () => console.log('at', server.httpServer.address().port))
server.on('read', (_, [value], answer) => {
  if (isNaN(value)) answer({ faultCode: 1, faultString: 'unknown' })
  else answer(null, Number(value))
})
E
node main.js >server 2>&1 & pids=$!
until_said server at
read -r _ port <server
timeout 60 ./run "http://127.0.0.1:$port/" >seen
as_found <<'E'
20.5: 20.5
no such value: Fault(1): unknown
20.5: 20.5
20: reading body error: type mismatch - can't unmarshal float64 to int
20.5: connection is shut down
20.5: 20.5
into an any: float64 20.5
into an any: int64 20
E
