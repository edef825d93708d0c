package kbus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// A message has the trace context that its sender gave it, in every way of receiving, whatever bytes that is; and a message without one
// has none, also where the memory of one that had one is used again.
func TestTrace(t *testing.T) {
	for what, data := range map[string]int{"small": 4, "in the log": 50_000} {
		t.Run(what, func(t *testing.T) {
			onAll(t, func(w *world) {
				var into kbus.Message
				ways := map[string]func(k *kbus.Ksock) (*kbus.Message, error){
					"Receive":     func(k *kbus.Ksock) (*kbus.Message, error) { return k.Receive(w.Context()) },
					"Next":        func(k *kbus.Ksock) (*kbus.Message, error) { return k.Next(w.Context()) },
					"ReceiveInto": func(k *kbus.Ksock) (*kbus.Message, error) { return &into, k.ReceiveInto(w.Context(), &into) },
					"InPlace": func(k *kbus.Ksock) (got *kbus.Message, err error) {
						err = k.InPlace(w.Context(), func(m *kbus.Message) error { c := *m; got = &c; return nil })
						return got, err
					},
				}
				l, s := w.ksock(kbus.ReadAhead(4)), w.ksock()
				w.must(l.Bind(w.Context(), "$.A", kbus.Listener))
				for how, receive := range ways {
					all := []*kbus.Trace{nil, {Parent: traceparent}, nil, {Parent: "\x00\xff", State: "a=b,c=d"}, nil,
						{Parent: strings.Repeat("x", 128), State: strings.Repeat("y", 512)}, {}, nil}
					for _, sent := range all {
						m := kbus.Announcement("$.A", make([]byte, data))
						m.Flags, m.Trace = message.TraceMark, sent // which is ours only where nobody knows it
						w.send(s, m)
					}
					for _, sent := range all { // some of them have been read ahead
						got, err := receive(l)
						w.must(err)
						if got.Trace.Empty() != sent.Empty() || !sent.Empty() && *got.Trace != *sent || got.Trace != nil && got.Trace.Empty() {
							w.Errorf("%s: %v is received as %v", how, sent, got.Trace)
						}
						is(w, "length of the data", len(got.Data), data)
						is(w, "flags", got.Flags, 0)
					}
				}
			})
		})
	}
}

// A Request brings its trace context, the Reply made of it has the same, and one with another has that. A Status of the bus has
// none, and that of a Replier has it.
func TestTraceOfAnswers(t *testing.T) {
	onAll(t, func(w *world) {
		asks, answers := w.ksock(), w.bound(kbus.Replier, "$.R")
		done := make(chan error, 1)
		serving, stop := context.WithCancel(w.Context())
		go func() {
			done <- answers.Serve(serving, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
				if m.Trace.TraceID() != "4bf92f3577b34da6a3ce929d0e0e4736" {
					return nil, fmt.Errorf("the Request has %v", m.Trace)
				}
				reply, err := m.Reply(nil)
				switch string(m.Data) {
				case "fail":
					return nil, errors.New("as it was told")
				case "other":
					reply.Trace = &kbus.Trace{Parent: "other"}
				}
				return reply, err
			}, kbus.OnError(func(*kbus.Message, error) {}))
		}()
		for data, want := range map[string]string{"": traceparent, "other": "other"} {
			m := kbus.Request("$.R", data)
			m.Trace = &kbus.Trace{Parent: traceparent}
			reply, err := asks.Call(w.Context(), m)
			w.must(err)
			is(w, "the traceparent of the Reply", reply.Trace.Parent, want)
		}
		m := kbus.Request("$.R", "fail")
		m.Trace = &kbus.Trace{Parent: traceparent}
		_, err := asks.Call(w.Context(), m)
		var status *kbus.StatusError
		if !errors.As(err, &status) || status.Status.Trace.TraceID() == "" {
			w.Errorf("a Replier's Status: %v", err)
		}
		stop()
		<-done
		sent := w.send(asks, m)
		w.must(answers.Close())
		_, err = asks.NextReply(w.Context(), sent.ID)
		if !errors.As(err, &status) || status.Status.Trace != nil {
			w.Errorf("a Status of the bus: %v", err)
		}
	})
}

// What is too long is refused, with the value and the limit named, and nothing else happens: the same message without it can be sent.
func TestTraceLimits(t *testing.T) {
	onAll(t, func(w *world) {
		k := w.bound(kbus.Listener, "$.A")
		pipe := k.Pipe()
		for trace, says := range map[kbus.Trace]string{
			{Parent: strings.Repeat("x", 129)}:             "traceparent has 129 bytes, and 128",
			{Parent: "x", State: strings.Repeat("y", 513)}: "tracestate has 513 bytes, and 512",
			{Parent: strings.Repeat("x", 70_000)}:          "traceparent has 70000 bytes, and 128",
		} {
			m := kbus.Announcement("$.A", "data")
			m.Trace = &trace
			_, err := k.Send(w.Context(), m)
			w.fails(err, kbus.ErrMessageTooLong)
			if !strings.Contains(fmt.Sprint(err), says) {
				w.Errorf("%v does not say %q", err, says)
			}
			err = pipe.Send(w.Context(), m)
			_, flushed := pipe.Flush(w.Context())
			err = errors.Join(err, flushed)
			if !errors.Is(err, kbus.ErrMessageTooLong) || !strings.Contains(fmt.Sprint(err), says) {
				w.Errorf("through a Pipe: %v", err)
			}
		}
		w.send(k, kbus.Announcement("$.A", "data"))
		w.reads(k, fmt.Sprintf("<Announcement '$.A', id=[0:1], from=%d, data='data'>", k.ID()))
	})
}

// A tap is shown the trace context of what is sent, taken and replied.
func TestTraceTapped(t *testing.T) {
	onAll(t, func(w *world) {
		k := w.bound(kbus.Replier, "$.R")
		o, err := w.observe()
		w.must(err)
		defer o.Close()
		events, err := o.Tap(w.Context(), kbus.TapFilter{Patterns: []string{"$.R"}, Kinds: []kbus.EventKind{kbus.EventSent, kbus.EventTaken}})
		w.must(err)
		m := kbus.Request("$.R", "")
		m.Trace = &kbus.Trace{Parent: traceparent, State: "a=b"}
		w.send(k, m)
		taken, err := k.Receive(w.Context())
		w.must(err)
		reply, err := taken.Reply(nil) // at the latest by that the bus notices that it was taken
		w.must(err)
		w.send(k, reply)
		shown := 0
		for e, err := range events {
			w.must(err)
			if e.Trace == nil || *e.Trace != *m.Trace {
				w.Errorf("%v shows %v", e.Event, e.Trace)
			}
			if shown++; shown == 3 {
				break
			}
		}
	})
}
