#!/bin/sh
# Messages with a time to live (nats-server 2.15.2, nats.go 1.55.0): in a bucket that keeps history a key lives longer than was asked
# for, and in a stream the end of one message makes an older one the last again.
#
# Guesses, written down before the first run: a key made with KeyTTL(1s) is gone after a second, or three at most; when the last message
# of a subject has lived its second, the subject has no last message.
# Seen: in a bucket with History 1 the key goes after a second. With History 2, and LimitMarkerTTL 6s, it stays for six: the server makes a
# time to live as long as that of the markers, and Create returns no error. In a stream (AllowMsgTTL) only the message goes: "off", which
# had a time to live, gives way to the "on" before it, which had none.
#
# For a bridge that tells by such keys who is alive: History 1; and give a time to live to every message of a subject, or to none. On
# KBUS who is bound is who is there.
#
# Needs Go. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
go_program github.com/nats-io/nats-server/v2@v2.15.2 github.com/nats-io/nats.go@v1.55.0 <<'E'
package main

import (
	"context"
	"errors"
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
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
	defer cancel()
	for history := range uint8(2) {
		kv, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: fmt.Sprint("alive", history), History: history + 1, LimitMarkerTTL: 6 * time.Second})
		check(err)
		start := time.Now()
		_, err = kv.Create(ctx, "lamp", []byte("here"), jetstream.KeyTTL(time.Second))
		check(err)
		for err == nil {
			time.Sleep(50 * time.Millisecond)
			_, err = kv.Get(ctx, "lamp")
		}
		if !errors.Is(err, jetstream.ErrKeyNotFound) {
			panic(err)
		}
		lived := time.Since(start)
		fmt.Printf("History %d: gone within 3 seconds: %v, there for 5: %v\n", history+1, lived < 3*time.Second, lived > 5*time.Second)
	}
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "last", Subjects: []string{"last.>"}, AllowMsgTTL: true})
	check(err)
	last := func() string {
		m, err := stream.GetLastMsgForSubject(ctx, "last.lamp")
		if err != nil {
			return err.Error()
		}
		return string(m.Data)
	}
	_, err = js.Publish(ctx, "last.lamp", []byte("on"))
	check(err)
	_, err = js.Publish(ctx, "last.lamp", []byte("off"), jetstream.WithMsgTTL(2*time.Second))
	check(err)
	fmt.Print("stream: last: ", last())
	for last() == "off" {
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Println(", then:", last())
}
E
timeout 60 ./run "$dir/store" >seen
as_found <<'E'
History 1: gone within 3 seconds: true, there for 5: false
History 2: gone within 3 seconds: false, there for 5: true
stream: last: off, then: on
E
