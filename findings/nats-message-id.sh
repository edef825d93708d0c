#!/bin/sh
# nats-server 2.15.2, JetStream: a message whose Nats-Msg-Id was used in the last two minutes is acknowledged and not stored, also under
# another subject, and also when the stream has been emptied.
#
# Guess, written down before the first run: a duplicate is the same id on the same subject; the id 7 on "lamp.kitchen" and on "lamp.hall"
# makes two messages; and when the stream has been purged, the id may be used again.
# Seen: ids count for the whole stream and outlive its messages: the second and the third publish return no error and the sequence
# number of the first (which after the purge is no message at all), and only the field Duplicate says that nothing was stored.
#
# For a bridge to JetStream: serial numbers begin at 1 on each bus, and again when its daemon has been started anew; what is sent then
# with the serial alone as its id is lost. Put a number of the bridge's own start into the id, and look at Duplicate, not only
# at the error.
#
# Needs Go. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
go_program github.com/nats-io/nats-server/v2@v2.15.2 github.com/nats-io/nats.go@v1.55.0 <<'E'
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, JetStream: true, StoreDir: os.Args[1]})
	check(err)
	s.Start()
	defer s.Shutdown()
	c, err := nats.Connect(s.ClientURL())
	check(err)
	js, err := jetstream.New(c)
	check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "lamps", Subjects: []string{"lamp.>"}})
	check(err)
	publish := func(what, subject string) {
		a, err := js.Publish(ctx, subject, []byte("on"), jetstream.WithMsgID("7"))
		check(err)
		i, err := stream.Info(ctx)
		check(err)
		fmt.Printf("%s: error %v, sequence %d, duplicate %v; messages in the stream: %d\n", what, err, a.Sequence, a.Duplicate, i.State.Msgs)
	}
	publish("lamp.kitchen", "lamp.kitchen")
	publish("lamp.hall", "lamp.hall")
	check(stream.Purge(ctx))
	publish("lamp.kitchen after the purge", "lamp.kitchen")
}
E
timeout 60 ./run "$dir/store" >seen
as_found <<'E'
lamp.kitchen: error <nil>, sequence 1, duplicate false; messages in the stream: 1
lamp.hall: error <nil>, sequence 1, duplicate true; messages in the stream: 1
lamp.kitchen after the purge: error <nil>, sequence 1, duplicate true; messages in the stream: 0
E
