package limpet

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// The rules of proxies, each by itself, as in machine_test.go.

// R9.30, R9.51: a proxy, its end, and a name that has a Replier on both buses.
func TestProxies(t *testing.T) {
	m := newMachine(nil)
	m.FromPair(event(true, 3, "$.A"))
	expect(t, does(m, nil), "bind $.A")
	m.FromPair(event(true, 3, "$.A"))
	expect(t, does(m, nil), "")
	m.FromPair(event(false, 3, "$.A"))
	expect(t, does(m, nil), "unbind $.A")
	m.FromPair(event(false, 3, "$.A"))
	expect(t, does(m, nil), "")

	m.FromPair(event(true, 3, "$.B"))
	expect(t, does(m, refuseAll(message.ErrReplierBound)), "bind $.B")
	m.FromBus(event(false, 4, "$.B")) // the one here has gone
	expect(t, does(m, nil), "to pair <ReplierBindEvent id=[1:0], orig_from=(1,0), flags=0x204 (SYN,aFL), [Unbind '$.B' for 4]>\nbind $.B")
	m.FromPair(event(false, 3, "$.B"))
	expect(t, does(m, refuseAll(message.ErrEventUndelivered)), "unbind $.B")
	m.Retry(true)
	expect(t, does(m, nil), "unbind $.B")
	for _, bad := range []*kbus.Message{
		event(true, 3, "not a name"), {Name: kbus.NameReplierBindEvent}, kbus.Announcement(kbus.NameReplierBindEvent, string(event(true, 3, "$.A").Data)),
	} {
		m.FromPair(bad)
		expect(t, does(m, nil), "")
	}
	if m.Pending() || len(m.proxies.all) > 0 {
		t.Errorf("%+v", m.proxies.all)
	}
}

// What only other settings or rules of the daemon can mend is tried again less often than what time can.
func TestRefusedNames(t *testing.T) {
	for _, c := range []message.Condition{message.ErrReplierBound, message.ErrUserBindings, message.ErrBusBindings, message.ErrUserWildcards, message.ErrDenied} {
		m := newMachine(nil)
		m.FromPair(event(true, 3, "$.A.*"))
		expect(t, does(m, refuseAll(c)), "bind $.A.*")
		if m.Pending() || !m.Blocked() {
			t.Errorf("%v: pending %v, blocked %v", c, m.Pending(), m.Blocked())
		}
		m.Retry(false)
		expect(t, does(m, nil), "")
		m.Retry(true)
		expect(t, does(m, nil), "bind $.A.*")
	}
}

// B25: after events were lost the pair is told what has changed, and no more.
func TestResynchronise(t *testing.T) {
	m := newMachine(nil)
	for _, name := range []string{"$.Gone", "$.Same", "$.Other", "$.Mine"} {
		m.FromBus(event(true, 4, name))
	}
	does(m, nil)
	m.FromBus(&kbus.Message{Header: kbus.Header{Flags: kbus.Synthetic}, Name: kbus.NameUnbindEventsLost})
	did := does(m, func(Action) Outcome {
		bound := func(ksock kbus.KsockID, name string) kbus.BindingInfo {
			return kbus.BindingInfo{Ksock: ksock, Name: name, As: kbus.Replier}
		}
		return Outcome{Bindings: []kbus.BindingInfo{
			bound(4, "$.Same"), bound(5, "$.Other"), bound(7, "$.Mine"), {Ksock: 5, Name: "$.Heard", As: kbus.Listener},
		}}
	})
	unbinds := regexp.MustCompile(`\w+ '[^']*' for \d+`).FindAllString(did, -1)
	slices.Sort(unbinds)
	expect(t, strings.Join(unbinds, ", "), "Unbind '$.Gone' for 4, Unbind '$.Mine' for 4, Unbind '$.Other' for 4")
}

// What each bus tells of its own federation stays on that bus.
func TestOwnNames(t *testing.T) {
	m := newMachine(nil)
	for _, name := range []string{"$.KBUS.Federation.Status", "$.KBUS.Federation.Lost"} {
		m.FromBus(kbus.Announcement(name, ""))
		m.FromBus(event(true, 4, name))
		m.FromPair(event(true, 3, name))
		expect(t, does(m, nil), "")
	}
	m.FromBus(event(true, 4, "$.KBUS.Federation"))
	if does(m, nil) == "" {
		t.Error("$.KBUS.Federation is kept back")
	}
}

// A proxy says whom it stands for: no Replier of our own bus, which has come round, nor one too many buses away; and it
// is bound anew when that becomes another.
func TestProxiesOf(t *testing.T) {
	m := newMachine(func(c *Config) { c.Incarnation = 77 })
	report := func(bind bool, of kbus.Origin) (origins []kbus.Origin, kinds []Kind) {
		e := event(bind, 3, "$.A")
		e.OrigFrom = of
		m.FromPair(e)
		does(m, func(d Action) Outcome {
			origins, kinds = append(origins, d.Of), append(kinds, d.Kind)
			return Outcome{}
		})
		return origins, kinds
	}
	for _, c := range []struct {
		bind  bool
		of    kbus.Origin
		bound kbus.Origin
		kinds []Kind
	}{
		{true, kbus.Origin{Network: 1, Local: 3}, kbus.Origin{}, nil},
		{true, kbus.Origin{Network: 9, Local: maxHops}, kbus.Origin{}, nil},
		{true, kbus.Origin{Network: 9, Local: 1<<32 - 1}, kbus.Origin{}, nil},
		{true, kbus.Origin{}, kbus.Origin{Network: 2, Local: 1}, []Kind{Bind}},
		{true, kbus.Origin{Network: 9, Local: 2}, kbus.Origin{Network: 9, Local: 3}, []Kind{Unbind, Bind}},
		{true, kbus.Origin{Network: 9, Local: 2}, kbus.Origin{}, nil},
		{true, kbus.Origin{Network: 9, Local: maxHops}, kbus.Origin{}, []Kind{Unbind}},
	} {
		origins, kinds := report(c.bind, c.of)
		if !slices.Equal(kinds, c.kinds) || len(kinds) > 0 && origins[len(kinds)-1] != c.bound {
			t.Errorf("told of %v: %v of %v, want %v of %v", c.of, kinds, origins, c.kinds, c.bound)
		}
	}
}

// B21, and what else is kept from an original Limpet.
func TestLegacy(t *testing.T) {
	m := newMachine(func(c *Config) { c.Legacy = true })
	for _, name := range []string{"$.K", "$.KBUS", "$.KBUS.Replier", "$.KBUS.ReplierBindEven"} {
		m.FromBus(kbus.Announcement(name, ""))
		expect(t, does(m, nil), "")
		m.FromBus(event(true, 4, name))
		expect(t, does(m, nil), "")
	}
	asked := request(kbus.ID{Serial: 5}, 4)
	asked.Name = "$.KBUS"
	m.FromBus(asked)
	expect(t, does(m, nil), "send <Status '$.KBUS.RemoteError.74', to=4, in_reply_to=[0:5]>")
	m.FromBus(&kbus.Message{Header: kbus.Header{InReplyTo: kbus.ID{Network: 2, Serial: 5}, To: 7, From: 4}, Name: "$.KBUS"})
	expect(t, does(m, nil), "to pair <Status '$.KBUS.RemoteError.74', id=[1:0], to=7, from=4, orig_from=(1,4), in_reply_to=[2:5]>")
	for _, name := range []string{"$.KBUSX", "$.L", "$.KBUS.Other"} {
		m.FromBus(kbus.Announcement(name, ""))
		if does(m, nil) == "" {
			t.Errorf("%s is kept back", name)
		}
	}
}

// After events were lost the bus tells of all Repliers anew. An original Limpet, which would bind again, is not told of
// those that it knows; and what there was no room to tell is asked for again.
func TestReportedAgain(t *testing.T) {
	for _, legacy := range []bool{false, true} {
		m := newMachine(func(c *Config) { c.Legacy = legacy })
		m.FromBus(event(true, 4, "$.A"))
		does(m, nil)
		m.FromBus(&kbus.Message{Header: kbus.Header{Flags: kbus.Synthetic}, Name: kbus.NameUnbindEventsLost})
		bound := []kbus.BindingInfo{{Ksock: 4, As: kbus.Replier, Name: "$.A"}}
		d, _ := m.Next()
		m.Done(d, Outcome{Bindings: bound, Incomplete: true})
		if got := does(m, nil); got != "" || !m.Pending() {
			t.Errorf("%s, and nothing is to be tried again", got)
		}
		m.Retry(false)
		if got := does(m, func(Action) Outcome { return Outcome{Bindings: bound} }); got != "snapshot" || m.Pending() {
			t.Errorf("then %s", got)
		}
		m.FromBus(event(true, 4, "$.A"))
		if got := does(m, nil); (got == "") != legacy {
			t.Errorf("legacy %v: a Replier that is known, told anew: %s", legacy, got)
		}
		m.FromBus(event(true, 4, "$.New"))
		if got := does(m, nil); got == "" {
			t.Errorf("legacy %v: a new Replier is not told", legacy)
		}
	}
}
