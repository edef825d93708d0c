#!/bin/sh
# gopcua/opcua 0.8.0 as a server: a client that comes and goes silences another one, which is told nothing.
#
# Guess, written down before the first run: two clients subscribe to the same value and one leaves; a third comes and leaves. The one that
# stayed hears every change.
# Seen: it hears nothing from the moment the third leaves, though its state is "Connected", a read gives the new value, and no error comes.
# A new subscription's number is how many there are, and one more: the third gets number 2, which the second has too, and when it leaves,
# what is kept under number 2 is removed, the values that the second watches among it.
#
# For a gateway from KBUS to OPC UA: with this server only one client can subscribe and rely on it; the others should read. On KBUS no
# Ksock has the number of another.
#
# Needs Go. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
go_program github.com/gopcua/opcua@v0.8.0 <<'E'
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/server"
	"github.com/gopcua/opcua/ua"
)

var background = context.Background()

func check(err error) {
	if err != nil {
		panic(err)
	}
}

type client struct {
	*opcua.Client
	sub   *opcua.Subscription
	heard chan string
}

func join(name, at string, node *ua.NodeID) *client {
	c, err := opcua.NewClient(at, opcua.SecurityMode(ua.MessageSecurityModeNone))
	check(err)
	check(c.Connect(background))
	changes := make(chan *opcua.PublishNotificationData, 100)
	sub, err := c.Subscribe(background, &opcua.SubscriptionParameters{Interval: 50 * time.Millisecond}, changes)
	check(err)
	_, err = sub.Monitor(background, ua.TimestampsToReturnBoth, opcua.NewMonitoredItemCreateRequestWithDefaults(node, ua.AttributeIDValue, 1))
	check(err)
	k := &client{c, sub, make(chan string, 100)}
	go func() {
		for change := range changes {
			if change.Error != nil {
				k.heard <- change.Error.Error()
			} else if values, ok := change.Value.(*ua.DataChangeNotification); ok {
				for _, item := range values.MonitoredItems {
					k.heard <- fmt.Sprint(item.Value.Value.Value())
				}
			}
		}
	}()
	<-k.heard // the value when it came
	fmt.Printf("%s comes: subscription %d\n", name, sub.SubscriptionID)
	return k
}

func (k *client) leave(name string) {
	check(k.sub.Cancel(background))
	check(k.Close(background))
	fmt.Println(name, "leaves")
}

func (k *client) hears(value string) string {
	for {
		select {
		case v := <-k.heard: // may be the value before once more
			if v == value {
				return "hears " + v
			}
		case <-time.After(2 * time.Second):
			return "does not hear " + value
		}
	}
}

func main() {
	log.SetOutput(io.Discard)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	s := server.New(server.EnableSecurity("None", ua.MessageSecurityModeNone), server.EnableAuthMode(ua.UserTokenTypeAnonymous), server.EndPoint("127.0.0.1", port))
	device := server.NewMapNamespace(s, "device")
	device.Data["temperature"] = 20.0
	check(s.Start(background))
	at, node := fmt.Sprintf("opc.tcp://127.0.0.1:%d", port), ua.NewStringNodeID(device.ID(), "temperature")
	set := func(v float64) {
		device.Mu.Lock()
		device.Data["temperature"] = v
		device.Mu.Unlock()
		device.ChangeNotification("temperature")
	}
	a := join("A", at, node)
	b := join("B", at, node)
	set(21)
	fmt.Println("A", a.hears("21"), "and B", b.hears("21"))
	a.leave("A")
	c := join("C", at, node)
	set(22)
	fmt.Println("B", b.hears("22"), "and C", c.hears("22"))
	c.leave("C")
	set(23)
	fmt.Println("B", b.hears("23"))
	read, err := b.Read(background, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: node}}})
	check(err)
	fmt.Println("B reads", read.Results[0].Value.Value(), "and is", b.State())
}
E
timeout 60 ./run >seen
as_found <<'E'
A comes: subscription 1
B comes: subscription 2
A hears 21 and B hears 21
A leaves
C comes: subscription 2
B hears 22 and C hears 22
C leaves
B does not hear 23
B reads 23 and is Connected
E
