#!/bin/sh
# The MQTT side of nats-server 2.15.2: a dot in a topic becomes two slashes for NATS.
#
# Guess, written down before the first run: the MQTT topic "sensor.1/temp" is refused, or is the subject "sensor.1.temp".
# Seen: the subject is "sensor//1.temp": a subscriber of "sensor.1.temp" or "sensor.*.temp" hears nothing.
#
# For a bridge between MQTT, NATS and KBUS: map names in one place, and refuse what cannot pass on every way: no word of
# a name here has a dot or a slash in it.
#
# Needs Go. Listens on loopback only.
. "$(dirname "$0")/begin.sh"
go_program github.com/nats-io/nats-server/v2@v2.15.2 github.com/nats-io/nats.go@v1.55.0 github.com/eclipse/paho.mqtt.golang@v1.5.1 <<'E'
package main

import (
	"fmt"
	"net"
	"os"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	o := &server.Options{ServerName: "finding", Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, JetStream: true, StoreDir: os.Args[1]}
	o.MQTT.Host, o.MQTT.Port = "127.0.0.1", port
	s, err := server.NewServer(o)
	check(err)
	s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(20 * time.Second) {
		panic("not ready")
	}
	c, err := nats.Connect(s.ClientURL())
	check(err)
	heard := make(chan string, 100)
	for _, subject := range []string{"sensor.1.temp", "sensor.*.temp", "sensor//1.temp", "lamp"} {
		_, err := c.Subscribe(subject, func(m *nats.Msg) { heard <- fmt.Sprintf("%q hears %q", subject, m.Subject) })
		check(err)
	}
	check(c.Flush())

	publisher := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(fmt.Sprint("tcp://127.0.0.1:", port)).SetClientID("publisher"))
	t := publisher.Connect()
	t.Wait()
	check(t.Error())
	publish := func(topic string) mqtt.Token { return publisher.Publish(topic, 1, false, "on") }
	publish("sensor.1/temp").Wait()
	fmt.Println(<-heard)
	publish("lamp").Wait()
	fmt.Println(<-heard)

	os.Exit(0)
}
E
timeout 60 ./run "$dir/store" >seen
as_found <<'E'
"sensor//1.temp" hears "sensor//1.temp"
"lamp" hears "lamp"
E
