package server

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"kbus.example/kbus/internal/services"
	"kbus.example/kbus/internal/testing/journal"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A refusal says which limit it is, its value, and where it is set; and if it is a Ksock's queue, whose.
func TestRefusalsNameTheLimit(t *testing.T) {
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	program := strings.TrimSpace(string(comm))
	const big = 3000
	for _, c := range []struct {
		what string
		set  func(*Config)
		ask  func(b *bench) rawclient.Frame
		want message.Condition
		says []string
	}{
		{"a message", func(c *Config) { c.Limits.MessageBytes = 1000 }, func(b *bench) rawclient.Frame {
			return b.open().Ask(wire.OpSendMessage, 0, announcement("$.A", strings.Repeat("x", big)))
		}, message.ErrMessageTooLong, []string{"3096", "1000", "limits.message-bytes"}},
		{"a Replier's queue", func(c *Config) { c.Limits.QueueMessages = 2 }, func(b *bench) (f rawclient.Frame) {
			b.open().Bind("$.Q", true)
			asker := b.open()
			asker.Must(wire.OpMaxMessages, 10, nil)
			for range 3 {
				f = asker.Ask(wire.OpSendMessage, 0, request("$.Q", ""))
			}
			return f
		}, message.ErrReplierFull, []string{"Ksock 1 ", fmt.Sprint("pid ", os.Getpid()), program, "2 messages", "2 are the most", "limits.queue-messages"}},
		{"a Listener's queue", func(c *Config) { c.Limits.QueueMessages = 2 }, func(b *bench) (f rawclient.Frame) {
			b.open().Bind("$.Q", false)
			for range 3 {
				f = b.open().Ask(wire.OpSendMessage, 0, rawclient.Message(message.Header{Flags: message.AllOrFail}, "$.Q", nil))
			}
			return f
		}, message.ErrListenerFull, []string{"Ksock 1 ", program, "2 are the most", "limits.queue-messages"}},
		{"one's own queue", func(c *Config) { c.Limits.QueueMessages = 2 }, func(b *bench) (f rawclient.Frame) {
			replier, asker := b.open(), b.open()
			replier.Must(wire.OpMaxMessages, 10, nil)
			replier.Bind("$.Q", true)
			for range 3 {
				f = asker.Ask(wire.OpSendMessage, 0, request("$.Q", ""))
			}
			return f
		}, message.ErrNoRoomForReply, []string{"2 messages or expected Replies", "2 are the most", "limits.queue-messages"}},
		{"a user's bindings", func(c *Config) { c.Limits.UserBindings = 1 }, bindTwo, message.ErrUserBindings,
			[]string{"1, setting limits.user-bindings"}},
		{"a bus's bindings", func(c *Config) { c.Limits.Bindings = 1 }, bindTwo, message.ErrBusBindings,
			[]string{"1, setting limits.bindings"}},
		{"a user's wildcards", func(c *Config) { c.Limits.UserWildcards = 1 }, func(b *bench) rawclient.Frame {
			c := b.open()
			c.Bind("$.One.*", false)
			return c.Ask(wire.OpBind, 0, []byte("$.Two.*"))
		}, message.ErrUserWildcards, []string{"1, setting limits.user-wildcards"}},
		{"a binding again and again", nil, func(b *bench) (f rawclient.Frame) {
			c := b.open()
			for range 17 {
				f = c.Ask(wire.OpBind, 0, []byte("$.Same"))
			}
			return f
		}, message.ErrSameBinding, []string{"16 are the most"}},
		{"what a user keeps", func(c *Config) { c.Limits.UserQueueBytes = 5000 }, func(b *bench) (f rawclient.Frame) {
			b.open().Bind("$.Q", false)
			for range 3 {
				f = b.open().Ask(wire.OpSendMessage, 0,
					rawclient.Message(message.Header{Flags: message.AllOrFail}, "$.Q", make([]byte, big)))
			}
			return f
		}, message.ErrListenerFull, []string{"Ksock 1 ", program, "its user may keep no more", "limits.user-queue-bytes"}},
		{"a user's Ksocks", func(c *Config) { c.Limits.UserConnections = 1 }, openTwo, message.ErrUserConnections,
			[]string{"1, setting limits.user-connections"}},
		{"a bus's Ksocks", func(c *Config) { c.Limits.Connections = 1 }, openTwo, message.ErrBusConnections,
			[]string{"1, setting limits.connections"}},
		{"places of a service", func(c *Config) {
			c.Limits.HeldRequests = 4
			c.Services.Set = &services.Set{Services: []*services.Service{{Names: []string{"$.S"}, Exec: []string{"/bin/sleep", "1000"}, Deadline: time.Hour}}}
		}, func(b *bench) (f rawclient.Frame) {
			c := b.open()
			for range 3 {
				f = c.Ask(wire.OpSendMessage, 0, request("$.S", ""))
			}
			return f
		}, message.ErrReplierFull, []string{"2 Requests wait", "2 of them of this user", "4, setting limits.held-requests"}},
		{"a user's buffers", func(c *Config) { c.Limits.UserBufferBytes = 100_000 }, func(b *bench) rawclient.Frame {
			c := b.open()
			frame, _ := c.Append(nil, wire.OpCall, 0, 0, request("$.Large", strings.Repeat("x", 300_000)))
			c.Write(frame) // it may end meanwhile
			return c.Next()
		}, message.ErrNoMemory, []string{"100000, setting limits.user-buffer-bytes"}},
		{"buses", func(c *Config) { c.Limits.Buses = 1 }, func(b *bench) rawclient.Frame {
			return b.open().Ask(wire.OpNewBus, 0, nil)
		}, message.ErrTooManyBuses, []string{"1, setting limits.buses"}},
		{"a bus without a directory", nil, func(b *bench) rawclient.Frame {
			c := b.open()
			if err := os.RemoveAll(b.Dir()); err != nil {
				t.Fatal(err)
			}
			return c.Ask(wire.OpNewBus, 0, nil)
		}, message.ErrNoMemory, []string{"the runtime directory", "is gone; SIGHUP"}},
		{"a maximum message size", nil, func(b *bench) rawclient.Frame {
			return b.open().Ask(wire.OpMaxMessageSize, 1<<20, nil)
		}, message.ErrBadSize, []string{"100 at least", "409600, setting limits.message-bytes-ceiling"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := start(t, c.set)
			f := c.ask(b)
			if f.Condition != c.want || !journal.HasAll(string(f.Payload), c.says) {
				t.Errorf("%v %q; want %v with %q", f.Condition.Name(), f.Payload, c.want.Name(), c.says)
			}
		})
	}
}

func bindTwo(b *bench) rawclient.Frame {
	c := b.open()
	c.Bind("$.One", false)
	return c.Ask(wire.OpBind, 0, []byte("$.Two"))
}

func openTwo(b *bench) rawclient.Frame {
	b.open()
	return b.dial().Hello(3)
}
