#!/bin/sh
# eclipse/paho.mqtt.golang 1.5.1: what is published while the broker is away is called done without having arrived.
#
# Guess, written down before the first run: while the client reconnects, Publish with QoS 0 gives a token with an error
# ("not connected"). For QoS 1, as its documentation says: the token is done when the broker has acknowledged it, and not before.
# Seen: the token of QoS 0 is done at once and without an error, and the message is gone for good; IsConnected says true the
# while (IsConnectionOpen tells the truth). The token of QoS 1 is done, also without an error, as soon as the client is connected
# again and sends the message once more: here the broker has not acknowledged it, and the message is still on its way.
#
# For a bridge from MQTT: a token that is done is no proof with either QoS; watch the handler of lost connections, and IsConnectionOpen.
# A send on KBUS whose daemon has gone is an error, and one that returned lies in the queues that it says it reached.
#
# Needs Go. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
go_program github.com/eclipse/paho.mqtt.golang@v1.5.1 github.com/mochi-mqtt/server/v2@v2.7.9 <<'E'
package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A hold keeps each message, not yet acknowledged, until it is let go.
type hold struct {
	mochi.HookBase
	came chan string
	on   chan bool
}

func (*hold) ID() string           { return "hold" }
func (*hold) Provides(b byte) bool { return b == mochi.OnPublish }
func (h *hold) OnPublish(_ *mochi.Client, p packets.Packet) (packets.Packet, error) {
	h.came <- string(p.Payload)
	<-h.on
	return p, nil
}

func broker(address string, h *hold) *mochi.Server {
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	check(s.AddHook(new(auth.AllowHook), nil))
	check(s.AddHook(h, nil))
	check(s.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: address})))
	check(s.Serve())
	return s
}

func main() {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	address := free.Addr().String()
	free.Close()

	h := &hold{came: make(chan string, 9), on: make(chan bool, 9)}
	first := broker(address, h)
	up, lost := make(chan bool, 9), make(chan bool, 9)
	publisher := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + address).SetClientID("publisher").
		SetMaxReconnectInterval(time.Second).
		SetOnConnectHandler(func(mqtt.Client) { up <- true }).
		SetConnectionLostHandler(func(mqtt.Client, error) { lost <- true }))
	t := publisher.Connect()
	t.Wait()
	check(t.Error())
	<-up
	first.Close()
	<-lost
	zero := publisher.Publish("news", 0, false, "qos 0")
	zero.Wait()
	fmt.Printf("away: IsConnected %v, IsConnectionOpen %v\n", publisher.IsConnected(), publisher.IsConnectionOpen())
	fmt.Println("qos 0: done, error", zero.Error())
	one := publisher.Publish("news", 1, false, "qos 1")
	fmt.Println("qos 1: done", one.WaitTimeout(time.Second))

	broker(address, h)
	<-up
	fmt.Println("the broker is back, has, and has not acknowledged:", <-h.came)
	fmt.Println("qos 1: done", one.WaitTimeout(10*time.Second), "error", one.Error())
	h.on <- true
	last := publisher.Publish("news", 0, false, "last")
	last.Wait()
	fmt.Println("and then comes:", <-h.came)
	h.on <- true
}
E
timeout 60 ./run >seen
as_found <<'E'
away: IsConnected true, IsConnectionOpen false
qos 0: done, error <nil>
qos 1: done false
the broker is back, has, and has not acknowledged: qos 1
qos 1: done true error <nil>
and then comes: last
E
