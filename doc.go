// Package kbus is the Go library of KBUS, a message bus between programs on one machine.
//
// A program opens a Ksock on a bus. It announces, and everybody who has bound to the name as Listener hears of it. It
// asks, and exactly one program, bound to the name as Replier, answers; each Request gets one Reply or one Status that
// says why there is none. All Ksocks see messages in the same order.
//
//	k, err := kbus.Open(ctx, 0)
//	...
//	k.Bind(ctx, "$.Lamp.*", kbus.Listener)
//	k.Send(ctx, kbus.Announcement("$.Door.Opened", "front"))
//	reply, err := k.Call(ctx, kbus.Request("$.Lamp.Set", "on"))
//
// Open connects to the daemon kbusd. NewBus makes a bus inside the program, for tests and for programs that are alone;
// its Ksocks are used in the same way.
//
// # Errors
//
// What an operation ends in is a Condition, such as ErrNoReplier, inside an *Error that says what was tried. A Status
// in place of a Reply is a *StatusError. errors.Is compares with either, and with the errno that a C program sees:
//
//	errors.Is(err, kbus.ErrNoReplier)       // nobody is bound as Replier for that name
//	errors.Is(err, syscall.EADDRNOTAVAIL)   // the same, in the words of the original
//	errors.Is(err, kbus.ErrGoneAway)        // the Replier closed before it read the Request
//	errors.Is(err, context.DeadlineExceeded)
//
// # When the bus is lost
//
// A daemon can die. Then every Request that it had accepted and not answered gets the Status `$.KBUS.Bus.GoneAway`, as
// a message to be received or, in a Call, as the error ErrBusGoneAway; after that everything fails with ErrBusGone.
// Nothing reconnects behind the program's back. Reopen does when it is told to, and says what it could restore.
//
// # Goroutines
//
// All methods of a Ksock may be used from any number of goroutines at once. The package starts none of its own: the
// goroutine that waits does the work. (Serve with Concurrency starts as many as it is told, and returns when they have
// ended.) After Close there is nothing left, neither goroutine nor descriptor.
package kbus

import "kbus.example/kbus/internal/version"

// Version is that of KBUS: library, daemon and programs together.
const Version = version.Number
