package kbus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// These examples use a bus inside the program, so that what they print is always the same. With kbus.Open(ctx, 0) in place
// of bus.Open(ctx) they work between programs.

var ctx = context.Background()

// check keeps the examples short.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// open opens a Ksock that is bound to a name.
func open(bus *kbus.Bus, name string, as kbus.Role) *kbus.Ksock {
	k, err := bus.Open(ctx)
	check(err)
	check(k.Bind(ctx, name, as))
	return k
}

// One program asks, another answers.
func Example() {
	bus := kbus.NewBus() // kbus.Open(ctx, 0), without a bus, in the real world
	defer bus.Close()

	lamp, err := bus.Open(ctx)
	check(err)
	check(lamp.Bind(ctx, "$.Lamp.Set", kbus.Replier))
	go lamp.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		fmt.Println("lamp:", m)
		return m.Reply([]byte("the lamp is " + string(m.Data)))
	})

	hand, err := bus.Open(ctx)
	check(err)
	reply, err := hand.Call(ctx, kbus.Request("$.Lamp.Set", "on"))
	check(err)
	fmt.Println("hand:", reply)

	_, err = hand.Call(ctx, kbus.Request("$.Radio.Set", "on"))
	fmt.Println("hand:", err)
	// Output:
	// lamp: <Request '$.Lamp.Set', id=[0:1], from=2, flags=0x3 (REQ,YOU), data='on'>
	// hand: <Reply '$.Lamp.Set', id=[0:2], to=2, from=1, in_reply_to=[0:1], data='the lamp is on'>
	// hand: kbus: call $.Radio.Set: nobody is bound as Replier for that name
}

// Open connects to the daemon.
func ExampleOpen() {
	k, err := kbus.Open(ctx, 0)
	if errors.Is(err, kbus.ErrNoSuchBus) {
		fmt.Println("start kbusd first")
		return
	}
	check(err)
	defer k.Close()
	for m, err := range k.Messages(ctx) {
		fmt.Println(m, err)
	}
}

// A bus of one's own, with a second one beside it.
func ExampleBus() {
	bus := kbus.NewBus()
	defer bus.Close()
	k, err := bus.Open(ctx)
	check(err)
	fmt.Println(k)
	number, err := k.Settings().AddBus(ctx)
	check(err)
	second, err := bus.Other(number)
	check(err)
	l, err := second.Open(ctx)
	check(err)
	fmt.Println(l)
	// Output:
	// Ksock device 0, id 1, mode read/write
	// Ksock device 1, id 1, mode read/write
}

func ExampleBusOption() {
	bus := kbus.NewBus(kbus.QueueLimit(2), kbus.MessageLimit(1000))
	defer bus.Close()
	k := open(bus, "$.Tick", kbus.Listener)
	for range 3 {
		fmt.Println(k.Send(ctx, kbus.Announcement("$.Tick", "")))
	}
	// Output:
	// {[0:1] 1 0 false} <nil>
	// {[0:2] 1 0 false} <nil>
	// {[0:3] 0 1 false} <nil>
}

// A Ksock is Listener, Replier and sender at once, as it likes.
func ExampleKsock() {
	bus := kbus.NewBus()
	defer bus.Close()
	k := open(bus, "$.Door.*", kbus.Listener)
	defer k.Close()
	_, err := k.Send(ctx, kbus.Announcement("$.Door.Opened", "front"))
	check(err)
	m, err := k.Next(ctx)
	fmt.Println(m, err)
	m, err = k.Next(ctx)
	fmt.Println(m, err)
	// Output:
	// <Announcement '$.Door.Opened', id=[0:1], from=1, data='front'> <nil>
	// <nil> <nil>
}

// A Pipe sends many messages, and tells afterwards what became of them.
func ExamplePipe() {
	bus := kbus.NewBus()
	defer bus.Close()
	listener := open(bus, "$.Count", kbus.Listener)
	k, err := bus.Open(ctx)
	check(err)
	p := k.Pipe()
	for range 3 {
		check(p.Send(ctx, kbus.Announcement("$.Count", "")))
	}
	check(p.Send(ctx, kbus.Request("$.Nobody", "")))
	totals, err := p.Flush(ctx)
	fmt.Printf("%+v\n%v\n", totals, err)
	fmt.Println(listener.Queue().Len(ctx))
	// Output:
	// {Accepted:3 Failed:1 Reached:3 Skipped:0}
	// kbus: send $.Nobody, message 3 of the Pipe: nobody is bound as Replier for that name
	// 3 <nil>
}

// Messages go on until something ends them.
func ExampleKsock_Messages() {
	bus := kbus.NewBus()
	k := open(bus, "$.Count", kbus.Listener)
	for _, data := range []string{"one", "two", "three"} {
		_, err := k.Send(ctx, kbus.Announcement("$.Count", data))
		check(err)
	}
	for m, err := range k.Messages(ctx) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("%s\n", m.Data)
		if string(m.Data) == "three" {
			bus.Close()
		}
	}
	// Output:
	// one
	// two
	// three
	// kbus: receive: the bus is gone
}

// A handler may ask others, on the Ksock that it serves, before it answers.
func ExampleHandler() {
	bus := kbus.NewBus()
	defer bus.Close()
	shouter := open(bus, "$.Shout", kbus.Replier)
	go shouter.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return m.Reply([]byte(strings.ToUpper(string(m.Data))))
	})
	greeter := open(bus, "$.Greet", kbus.Replier)
	var greet kbus.Handler = func(ctx context.Context, m *kbus.Message) (*kbus.Message, error) {
		loud, err := greeter.Call(ctx, kbus.Request("$.Shout", m.Data))
		if err != nil {
			return nil, err
		}
		return m.Reply([]byte("HELLO " + string(loud.Data)))
	}
	go greeter.Serve(ctx, greet)

	k, err := bus.Open(ctx)
	check(err)
	reply, err := k.Call(ctx, kbus.Request("$.Greet", "world"))
	check(err)
	fmt.Printf("%s\n", reply.Data)
	// Output: HELLO WORLD
}

// A stateful Request holds to the Replier that has answered before.
func ExampleMessage_statefulRequest() {
	bus := kbus.NewBus()
	defer bus.Close()
	counter := open(bus, "$.Count", kbus.Replier)
	go counter.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return m.Reply([]byte("1"))
	})
	k, err := bus.Open(ctx)
	check(err)
	first, err := k.Call(ctx, kbus.Request("$.Count", "begin"))
	check(err)

	counter.Close()
	open(bus, "$.Count", kbus.Replier) // somebody else, who has not counted so far
	next, err := first.StatefulRequest("$.Count", []byte("go on"))
	check(err)
	fmt.Println(next)
	_, err = k.Call(ctx, next)
	fmt.Println(err)
	// Output:
	// <Request '$.Count', to=1, flags=0x1 (REQ), data='go on'>
	// kbus: call $.Count: the Replier with that id is no longer bound to the name
}

// What a send tells, and a message that waits until everybody has room.
func ExampleSent() {
	bus := kbus.NewBus(kbus.QueueLimit(1))
	defer bus.Close()
	slow := open(bus, "$.News", kbus.Listener)
	k, err := bus.Open(ctx)
	check(err)
	sent, err := k.Send(ctx, kbus.Announcement("$.News", "one"))
	fmt.Printf("%+v %v\n", sent, err)
	sent, err = k.Send(ctx, kbus.Announcement("$.News", "two"))
	fmt.Printf("%+v %v\n", sent, err)

	all := kbus.Announcement("$.News", "three")
	all.Flags |= kbus.AllOrWait
	sent, err = k.Send(ctx, all)
	check(err)
	fmt.Println(sent.ID, sent.Pending)
	_, err = slow.Next(ctx)
	check(err)
	fmt.Println(k.WaitSent(ctx))
	// Output:
	// {ID:[0:1] Reached:1 Skipped:0 Pending:false} <nil>
	// {ID:[0:2] Reached:0 Skipped:1 Pending:false} <nil>
	// [0:3] true
	// <nil>
}

func ExampleMessage() {
	m := kbus.Request("$.Lamp.Set", "on")
	m.Flags |= kbus.Urgent
	fmt.Println(m, m.Kind(), m.IsRequest(), m.WantsUsToReply())
	// Output: <Request '$.Lamp.Set', flags=0x9 (REQ,URG), data='on'> Request true false
}

// An error tells what was tried, and compares with the condition and with its errno.
func ExampleError() {
	bus := kbus.NewBus()
	defer bus.Close()
	k := open(bus, "$.A", kbus.Replier)
	err := k.Bind(ctx, "$.A", kbus.Replier)
	fmt.Println(err)
	fmt.Println(errors.Is(err, kbus.ErrReplierBound), errors.Is(err, syscall.EADDRINUSE))
	var c kbus.Condition
	if errors.As(err, &c) {
		fmt.Println(c.Name(), int(c.Errno()))
	}
	// Output:
	// kbus: bind $.A: the name has a Replier already
	// true true
	// ErrReplierBound 98
}

// A Request whose Replier goes away gets a Status.
func ExampleStatusError() {
	bus := kbus.NewBus()
	defer bus.Close()
	r := open(bus, "$.Q", kbus.Replier)
	k, err := bus.Open(ctx)
	check(err)
	sent, err := k.Send(ctx, kbus.Request("$.Q", ""))
	check(err)
	r.Close()
	_, err = k.NextReply(ctx, sent.ID)
	var status *kbus.StatusError
	if errors.As(err, &status) {
		fmt.Println(status.Status)
	}
	fmt.Println(err)
	fmt.Println(errors.Is(err, kbus.ErrGoneAway))
	// Output:
	// <Status '$.KBUS.Replier.GoneAway', id=[0:2], to=2, from=1, in_reply_to=[0:1], flags=0x4 (SYN)>
	// kbus: Request [0:1]: the Replier closed before it read the Request ($.KBUS.Replier.GoneAway)
	// true
}

// A StatusName is for comparing.
func ExampleStatusName() {
	m := &kbus.Message{Name: "$.KBUS.Replier.Ignored", Header: kbus.Header{InReplyTo: kbus.ID{Serial: 1}}}
	err := kbus.StatusOf(m)
	for _, name := range []kbus.StatusName{kbus.ErrGoneAway, kbus.ErrIgnored} {
		fmt.Println(errors.Is(err, name), name)
	}
	// Output:
	// false the Replier closed before it read the Request
	// true the Replier read the Request and closed without replying
}

// Who is on the bus, and who would get a message.
func ExampleObserver() {
	bus := kbus.NewBus()
	defer bus.Close()
	open(bus, "$.Lamp.*", kbus.Replier)
	open(bus, "$.Lamp.Set", kbus.Listener)
	o, err := bus.Observe(ctx)
	check(err)
	defer o.Close()
	replier, listeners, err := o.Who(ctx, "$.Lamp.Set")
	check(err)
	fmt.Println("Ksock", replier.Ksock, "would reply, Ksock", listeners[0].Ksock, "listens")
	ksocks, err := o.List(ctx)
	check(err)
	for _, k := range ksocks {
		fmt.Println("Ksock", k.Ksock, "has", k.Queued, "of", k.MaxMessages, "messages")
	}
	// Output:
	// Ksock 1 would reply, Ksock 2 listens
	// Ksock 2 has 0 of 100 messages
	// Ksock 1 has 0 of 100 messages
}

func ExampleBindingInfo() {
	report := "# 0 is bound to <Ksock-ID> in <process-PID> as <Replier|Listener> for <message-name>\n" +
		"  0:        7     4021  R  $.Lamp\n"
	list, err := kbus.ParseBindingsReport(report)
	fmt.Printf("%+v %v\n", list, err)
	// Output: [{Bus:0 Ksock:7 PID:4021 As:Replier Name:$.Lamp}] <nil>
}

// The same Ksock as a stream of bytes.
func ExampleFile() {
	bus := kbus.NewBus()
	defer bus.Close()
	b := open(bus, "$.A", kbus.Listener).File()
	_, err := b.Write(ctx, message.AppendEntire(nil, &message.Header{}, []byte("$.A"), []byte("hello")))
	check(err)
	sent, err := b.Send(ctx)
	check(err)
	length, err := b.NextMsg(ctx)
	check(err)
	entire := make([]byte, length) // so short a message comes in one piece
	_, err = b.Read(ctx, entire)
	check(err)
	h, name, data, c := message.ParseEntire(entire, 409600)
	fmt.Println(sent.ID, length, h.From, string(name), string(data), c.Name())
	// Output: [0:1] 104 1 $.A hello OK
}

// Reopen does nothing as long as the bus is there.
func ExampleReopened() {
	bus := kbus.NewBus()
	defer bus.Close()
	k := open(bus, "$.A", kbus.Replier)
	r, err := k.Reopen(ctx)
	check(err)
	for _, b := range r.Failed { // each a FailedBinding
		fmt.Println("lost", b.Name, b.Err)
	}
	fmt.Printf("%+v\n", r)
	// Output: {OldID:1 ID:1 Bound:[] Failed:[]}
}

func ExampleFailedBinding() {
	b := kbus.FailedBinding{Binding: kbus.Binding{Name: "$.A", As: kbus.Replier}, Err: kbus.ErrReplierBound}
	fmt.Println(b.As, b.Name, b.Err)
	// Output: Replier $.A the name has a Replier already
}

func ExampleOption() {
	bus := kbus.NewBus()
	defer bus.Close()
	k, err := bus.Open(ctx, kbus.ReadOnly(), kbus.ReadAhead(16))
	check(err)
	fmt.Println(k)
	// Output: Ksock device 0, id 1, mode read
}

func ExampleMode() {
	fmt.Println(kbus.ReadMode, kbus.WriteMode, kbus.ReadWriteMode)
	// Output: read write read/write
}

func ExampleRole() {
	fmt.Println(kbus.Binding{Name: "$.Lamp.*", As: kbus.Listener}, kbus.Replier)
	// Output: {$.Lamp.* Listener} Replier
}
