package device

import (
	"context"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// Programs of the original and programs that use the library are on one bus. Each is answered at once by what the
// other does, through the socket and through shared memory.
func TestSharedBus(t *testing.T) {
	for name, rings := range map[string]bool{"socket": false, "rings": true} {
		t.Run(name, func(t *testing.T) {
			d := start(t)
			ctx, dev, lib := context.Background(), d.rw(), d.socket(rings)
			must(t, lib.Bind(ctx, "$.Library", kbus.Replier))
			ok(t, dev.Bind("$.Device", 1))
			for range 200 {
				answer := make(chan error)
				go func() {
					m, err := lib.Call(ctx, kbus.Request("$.Device", "?"))
					if err == nil && string(m.Data) != "!" {
						t.Errorf("the library got %q", m.Data)
					}
					answer <- err
				}()
				dev.Poll(unix.POLLIN, -1)
				q, some, errno := dev.Receive()
				if ok(t, errno); !some || !q.WantsUsToReply() {
					t.Fatalf("the device was woken for %v", q.String())
				}
				_, errno = dev.Send(message.Header{InReplyTo: q.ID, To: q.From}, q.Name, "!")
				ok(t, errno)
				must(t, <-answer)

				_, errno = dev.Send(message.Header{Flags: message.WantAReply}, "$.Library", "?")
				ok(t, errno)
				m, err := lib.Receive(ctx)
				must(t, err)
				r, err := m.Reply([]byte("!"))
				must(t, err)
				_, err = lib.Send(ctx, r)
				must(t, err)
				dev.Poll(unix.POLLIN, -1)
				if got, some, _ := dev.Receive(); !some || string(got.Data) != "!" {
					t.Fatalf("the device got %v", got.String())
				}
			}
		})
	}
}

// A device's message waits for room in the queue of a client of the library, which takes its messages without asking:
// the sender's poll ends when it takes one.
func TestRoomInLibrary(t *testing.T) {
	for name, rings := range map[string]bool{"socket": false, "rings": true} {
		t.Run(name, func(t *testing.T) {
			d := start(t)
			ctx, lib := context.Background(), d.socket(rings)
			_, err := lib.Queue().SetLimit(ctx, 1)
			must(t, err)
			must(t, lib.Bind(ctx, "$.Full", kbus.Listener))
			_, errno := d.rw().Send(message.Header{}, "$.Full", "full")
			ok(t, errno)
			_, sent := d.sending("$.Full", unix.POLLOUT)
			for range 2 {
				_, err = lib.Receive(ctx)
				must(t, err)
			}
			if ready := <-sent; ready != unix.POLLOUT {
				t.Errorf("poll gives %#x", ready)
			}
		})
	}
}
