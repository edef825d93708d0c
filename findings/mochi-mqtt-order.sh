#!/bin/sh
# mochi-mqtt/server 2.7.9: what came for a client while it was away reaches it in another order.
#
# Guess, written down before the first run: messages with QoS 1 that wait for a client with a session are sent to it when it comes back, in
# the order in which they came, as MQTT asks for.
# Seen: all of them come, but those of one second in no order: of a hundred, each about every second one comes before one that was sent
# earlier. (They are sorted by the second at which they came, and taken out of a map.) For a client that is there the order is kept.
#
# For a bridge from MQTT: a last value may not be the last one; have the Sender put a number or a time into its messages.
# On KBUS everybody gets messages in the order of the bus.
#
# Needs Go. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
go_program github.com/mochi-mqtt/server/v2@v2.7.9 github.com/eclipse/paho.mqtt.golang@v1.5.1 <<'E'
package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"

	paho "github.com/eclipse/paho.mqtt.golang"
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

const messages = 100

func check(t paho.Token) {
	if t.Wait(); t.Error() != nil {
		panic(t.Error())
	}
}

func main() {
	broker := mqtt.New(&mqtt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	broker.AddHook(new(auth.AllowHook), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	broker.AddListener(listeners.NewNet("loopback", l))
	broker.Serve()
	connect := func(id string, on paho.MessageHandler) paho.Client {
		c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + l.Addr().String()).SetClientID(id).
			SetCleanSession(false).SetDefaultPublishHandler(on))
		check(c.Connect())
		return c
	}
	got := make(chan int, messages)
	on := func(_ paho.Client, m paho.Message) {
		var n int
		fmt.Sscan(string(m.Payload()), &n)
		got <- n
	}
	listener, sender := connect("listener", on), connect("sender", nil)
	check(listener.Subscribe("lamp", 1, nil))
	send := func() {
		for n := range messages {
			check(sender.Publish("lamp", 1, false, fmt.Sprint(n)))
		}
	}
	report := func(what string) {
		ordered, last, all := true, -1, map[int]bool{}
		for range messages {
			n := <-got
			ordered = ordered && n > last
			last = n
			all[n] = true
		}
		fmt.Printf("%s: %d of %d, in order: %v\n", what, len(all), messages, ordered)
	}
	send()
	report("there")
	listener.Disconnect(100)
	for len(broker.Clients.GetByListener("loopback")) > 1 {
		runtime.Gosched()
	}
	send()
	listener = connect("listener", on)
	report("away")
}
E
timeout 60 ./run >seen
as_found <<'E'
there: 100 of 100, in order: true
away: 100 of 100, in order: false
E
