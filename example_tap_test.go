package kbus_test

import (
	"fmt"

	"kbus.example/kbus"
)

// goodNight is a program to be tested: it puts the lights out, and tells who wants to know.
func goodNight(bus *kbus.Bus) {
	k, err := bus.Open(ctx)
	check(err)
	defer k.Close()
	for _, room := range []string{"Kitchen", "Hall"} {
		_, err := k.Send(ctx, kbus.Announcement("$.Lamp."+room, "off"))
		check(err)
	}
	_, err = k.Send(ctx, kbus.Request("$.Alarm.Arm", ""))
	if err != nil {
		_, err = k.Send(ctx, kbus.Announcement("$.Trouble", "there is no alarm"))
		check(err)
	}
}

// A unit test runs a program on a bus of its own, and asserts what was said there: all of it, in order, also what was refused
// and what nobody listened to. The tap is no Listener, so the program behaves as it does without one.
func ExampleObserver_Tap() {
	bus := kbus.NewBus()
	defer bus.Close()
	o, err := bus.Observe(ctx)
	check(err)
	defer o.Close()
	events, err := o.Tap(ctx, kbus.TapFilter{Kinds: []kbus.EventKind{kbus.EventSent}}) // before the program runs
	check(err)

	goodNight(bus)
	end, err := bus.Open(ctx)
	check(err)
	_, err = end.Send(ctx, kbus.Announcement("$.End", "")) // so that the loop knows when it has seen everything
	check(err)

	want := []string{"$.Lamp.Kitchen off", "$.Lamp.Hall off", "$.Alarm.Arm refused", "$.Trouble there is no alarm"}
	for e, err := range events {
		check(err)
		if e.Message.Name == "$.End" {
			break
		}
		said := e.Message.Name + " " + string(e.Data)
		if e.Err != nil {
			said = e.Message.Name + " refused"
		}
		if len(want) == 0 || said != want[0] {
			fmt.Println("it says", said, "and should say", want) // t.Errorf, in a test
			break
		}
		want = want[1:]
		fmt.Printf("%s, by Ksock %d, reached %d\n", said, e.By.Ksock, e.Reached)
	}
	fmt.Println("left unsaid:", want)
	// Output:
	// $.Lamp.Kitchen off, by Ksock 1, reached 0
	// $.Lamp.Hall off, by Ksock 1, reached 0
	// $.Alarm.Arm refused, by Ksock 1, reached 0
	// $.Trouble there is no alarm, by Ksock 1, reached 0
	// left unsaid: []
}
