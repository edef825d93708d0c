package kbus_test

import (
	"errors"
	"fmt"
	"syscall"

	"kbus.example/kbus"
)

// A word on each of the smaller types.

func ExampleBindEvent() {
	bus := kbus.NewBus()
	defer bus.Close()
	k := open(bus, "$.KBUS.ReplierBindEvent", kbus.Listener)
	_, err := k.Settings().SetReportReplierBinds(ctx, true)
	check(err)
	open(bus, "$.Lamp", kbus.Replier)
	m, err := k.Next(ctx)
	check(err)
	event, ok := kbus.ParseBindEvent(m.Data)
	fmt.Printf("%+v %v\n", event, ok)
	// Output: {Bind:true Binder:2 Name:$.Lamp} true
}

func ExampleBinding() {
	fmt.Printf("%+v\n", kbus.Binding{Name: "$.Lamp.%", As: kbus.Listener})
	// Output: {Name:$.Lamp.% As:Listener}
}

func ExampleBusInfo() {
	bus := kbus.NewBus()
	defer bus.Close()
	info, err := open(bus, "$.Lamp", kbus.Replier).Observer().Info(ctx)
	check(err)
	fmt.Println(info.Ksocks, "Ksock,", info.Bindings, "binding, messages up to", info.MaxMessageBytes, "bytes")
	// Output: 1 Ksock, 1 binding, messages up to 409600 bytes
}

func ExampleCondition() {
	var c kbus.Condition
	err := error(&kbus.Error{Op: "send", Name: "$.Lamp", Err: kbus.ErrNoReplier})
	fmt.Println(errors.As(err, &c), c.Name(), uint(c.Errno()), errors.Is(err, syscall.EADDRNOTAVAIL))
	// Output: true ErrNoReplier 99 true
}

func ExampleFlags() {
	fmt.Println(kbus.WantAReply | kbus.Urgent)
	// Output: 0x9 (REQ,URG)
}

func ExampleHeader() {
	h := kbus.Header{To: 3, Flags: kbus.WantAReply}
	fmt.Println(h.IsRequest(), h.IsStatefulRequest(), h.WantsUsToReply())
	// Output: true true false
}

func ExampleID() {
	fmt.Println(kbus.ID{Network: 0, Serial: 6}, kbus.ID{}.IsZero())
	// Output: [0:6] true
}

func ExampleKind() {
	fmt.Println(kbus.Request("$.Lamp", "").Kind())
	// Output: Request
}

func ExampleOrigin() {
	fmt.Println(kbus.Origin{Network: 2, Local: 7})
	// Output: (2,7)
}

func ExampleKsockInfo() {
	bus := kbus.NewBus()
	defer bus.Close()
	list, err := open(bus, "$.Lamp", kbus.Replier).Observer().List(ctx)
	check(err)
	k := list[0]
	fmt.Println(k.Ksock, k.Mode, k.Queued, "of", k.MaxMessages)
	// Output: 1 read/write 0 of 100
}

func ExampleParty() {
	bus := kbus.NewBus()
	defer bus.Close()
	replier, _, err := open(bus, "$.Lamp", kbus.Replier).Observer().Who(ctx, "$.Lamp")
	check(err)
	fmt.Println("Ksock", replier.Ksock)
	// Output: Ksock 1
}

func ExamplePayload() {
	fmt.Println(kbus.Announcement("$.A", "text"))
	fmt.Println(kbus.Announcement("$.A", []byte{0, 1}))
	// Output:
	// <Announcement '$.A', data='text'>
	// <Announcement '$.A', data='\x00\x01'>
}

func ExamplePipeError() {
	bus := kbus.NewBus()
	defer bus.Close()
	p := open(bus, "$.A", kbus.Listener).Pipe()
	check(p.Send(ctx, kbus.Request("$.Nobody", "")))
	_, err := p.Flush(ctx)
	var failed *kbus.PipeError
	fmt.Println(errors.As(err, &failed), failed.Index, failed.Name)
	// Output: true 0 $.Nobody
}

func ExampleTotals() {
	bus := kbus.NewBus()
	defer bus.Close()
	p := open(bus, "$.A", kbus.Listener).Pipe()
	check(p.Send(ctx, kbus.Announcement("$.A", "")))
	totals, err := p.Flush(ctx)
	check(err)
	fmt.Println(totals.Accepted, totals.Reached)
	// Output: 1 1
}
