package federation

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/bus"
)

// lines are what a log says, to be waited for.
type lines chan string

func (l lines) Enabled(context.Context, slog.Level) bool      { return true }
func (l lines) WithAttrs([]slog.Attr) slog.Handler            { return l }
func (l lines) WithGroup(string) slog.Handler                 { return l }
func (l lines) Handle(_ context.Context, r slog.Record) error { l <- r.Message; return nil }

// A member has missed bind events, and its user may have no more waiting, so that the bus cannot tell of all Repliers anew. It
// goes on, and asks again later.
func TestNoRoomToAskAnew(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	b := &node{cluster: h, bus: kbus.NewBus(func(c *bus.Config) { c.Limits.UserQueueBytes, c.MaxSetAside = 100_000, 1 })}
	t.Cleanup(func() { b.bus.Close() })
	log := make(lines, 1000)
	b.join(2, func(c *Config) { c.Log, c.Names = slog.New(log), []string{"$.Far"} }) // so that it hears of the hoard nothing
	events := b.watch()
	go a.bound(kbus.Replier, "$.Far").Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return m.Reply([]byte("here"))
	})
	events.event(true, "$.Far")
	must(t, events.k.Close())

	var names []string // so many that hoarding does not leave room to tell of them
	for i := range 20 {
		names = append(names, fmt.Sprint("$.KBUS.Leaves", i))
		b.bound(kbus.Replier, fmt.Sprint("$.KBUS.Stays", i))
	}
	leaves := b.bound(kbus.Replier, names...)
	asker := b.open()
	_, err := asker.Call(t.Context(), kbus.Request("$.Far", "")) // with this the member has read all events too
	must(t, err)
	hoard := b.bound(kbus.Listener, "$.KBUS.Hoard")
	_, err = hoard.Queue().SetLimit(h.Context(), 1<<20)
	must(t, err)
	sender := b.open()
	for reached := 1; reached > 0; {
		sent, err := sender.Send(t.Context(), kbus.Announcement("$.KBUS.Hoard", ""))
		must(t, err)
		reached = int(sent.Reached)
	}
	must(t, leaves.Close()) // more events at once than may be set aside
	for line := range log {
		if strings.Contains(line, "cannot tell") {
			break
		}
	}
	must(t, hoard.Close())
	for { // the member may wait for room for a moment still
		m, err := asker.Call(t.Context(), kbus.Request("$.Far", ""))
		must(t, err)
		if string(m.Data) == "here" {
			break
		}
	}
	must(t, b.stop())
	for close(log); ; {
		line, more := <-log
		if !more {
			break
		}
		if strings.Contains(line, "joined") {
			t.Error("it has not gone on, but begun anew")
		}
	}
}
