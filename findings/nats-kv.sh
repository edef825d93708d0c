#!/bin/sh
# Key-value buckets of NATS (nats-server 2.15.2, nats.go 1.55.0): `$` is no character of a key, and deleted keys still count.
#
# Guesses, written down before the first run: "$.lamp" may be a key, as it may be a subject and part of a stream's subjects; deleting a
# key that never was is ErrKeyNotFound; the bucket's count of values after three puts and two deletions is 1.
# Seen: the library refuses the key, while a stream takes "$.>" and stores what is published there; deleting a key that never was
# succeeds and writes an entry; the count is 4: one value, two markers, and the marker of the key that never was.
#
# For a bridge that keeps the last message of each name: KBUS's names are no keys before the `$.` is cut off, and how many names there
# are is told by Keys, not by Values.
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
	_, err = js.CreateStream(ctx, jetstream.StreamConfig{Name: "names", Subjects: []string{"$.>"}})
	check(err)
	_, err = js.Publish(ctx, "$.lamp", []byte("on"))
	fmt.Println("$.lamp in a stream:", err)
	kv, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "lamps"})
	check(err)
	_, err = kv.Put(ctx, "$.lamp", []byte("on"))
	fmt.Println("$.lamp in a bucket:", err)
	for _, key := range []string{"hall", "kitchen", "stairs"} {
		_, err := kv.Put(ctx, key, []byte("on"))
		check(err)
	}
	check(kv.Delete(ctx, "hall"))
	check(kv.Delete(ctx, "kitchen"))
	fmt.Println("deleting what never was:", kv.Delete(ctx, "cellar"))
	status, err := kv.Status(ctx)
	check(err)
	keys, err := kv.Keys(ctx)
	check(err)
	fmt.Println("values:", status.Values(), "keys:", keys)
}
E
timeout 60 ./run "$dir/store" >seen
as_found <<'E'
$.lamp in a stream: <nil>
$.lamp in a bucket: nats: invalid key
deleting what never was: <nil>
values: 4 keys: [stairs]
E
