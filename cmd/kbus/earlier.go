package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/plain"
)

// Who asks kbus monitor --unanswered why nothing goes on has most likely a Request without an answer already. A tap shows nothing of
// it: it was sent before, or is among what the tap has missed. But the daemon's report counts how many Requests of a Ksock are without
// an answer, and how many a Ksock has read and not answered; those that the tap has shown are known, and the rest are earlier ones. Their
// names nobody can tell any more.

// earlier is how many they are at most. It only gets less.
type earlier struct {
	asked  map[kbus.KsockID]uint32 // by who asked, and waits; nil: it is not looked for
	left   map[kbus.KsockID]uint32 // by who has read them, those for which nobody waits any more
	before string                  // what they are earlier than
	began  time.Time
}

// earliest is how long they have waited at least when they are told of.
const earliest = time.Second

// lookForEarlier begins to look, where all Requests are shown.
func (m *monitoring) lookForEarlier(ctx context.Context, before string) error {
	if !m.unanswered || m.ksock != 0 || len(m.patterns) > 0 {
		return nil
	}
	all, err := m.observer.List(ctx)
	asked, left := m.unknown(all)
	m.earlier = earlier{asked, left, before, time.Now()}
	return err
}

// unknown counts the Requests that the tap has not shown. A Request that somebody waits for may be with any Ksock that has
// read some: what a Ksock has read beyond all those, nobody waits for.
func (m *monitoring) unknown(all []kbus.KsockInfo) (asked, left map[kbus.KsockID]uint32) {
	by, of := map[kbus.KsockID]uint32{}, map[kbus.KsockID]uint32{} // Requests that are known, by who asks and who has to answer
	for _, r := range m.of.open {
		by[r.By.Ksock]++
		of[r.Replier]++
	}
	asked, left = map[kbus.KsockID]uint32{}, map[kbus.KsockID]uint32{}
	waiting := uint32(0)
	for _, k := range all {
		if k.Outstanding > by[k.Ksock] {
			asked[k.Ksock] = k.Outstanding - by[k.Ksock]
			waiting += asked[k.Ksock]
		}
	}
	for _, k := range all {
		if k.Unreplied > of[k.Ksock]+waiting {
			left[k.Ksock] = k.Unreplied - of[k.Ksock] - waiting
		}
	}
	return asked, left
}

// least has of each count the smaller one.
func least(a, b map[kbus.KsockID]uint32) map[kbus.KsockID]uint32 {
	both := map[kbus.KsockID]uint32{}
	for k, n := range a {
		if n = min(n, b[k]); n > 0 {
			both[k] = n
		}
	}
	return both
}

// showEarlier looks again, and prints those that are still without an answer, once.
func (m *monitoring) showEarlier(ctx context.Context, now time.Time) error {
	e := &m.earlier
	if e.asked == nil {
		return nil
	}
	all, err := m.observer.List(ctx)
	if err != nil {
		return err
	}
	asked, left := m.unknown(all)
	e.asked, e.left = least(e.asked, asked), least(e.left, left)
	age := now.Sub(e.began)
	if age < max(earliest, m.slow) {
		return nil
	}
	of := map[kbus.KsockID]uint32{}
	for _, r := range m.of.open {
		of[r.Replier]++
	}
	var owe []kbus.Party
	for _, k := range all {
		if k.Unreplied > of[k.Ksock] {
			owe = append(owe, k.Party)
		}
	}
	for _, k := range all {
		for _, print := range []func() error{
			func() error { return m.printEarlier(k.Party, e.asked[k.Ksock], owe, now, age) },
			func() error { return m.printLeft(k.Party, e.left[k.Ksock], now, age) },
		} {
			if err == nil && (m.count == 0 || m.printed < m.count) {
				err = print()
			}
		}
	}
	*e = earlier{}
	return err
}

type jsonEarlier struct {
	Time     string      `json:"time"`
	Bus      uint32      `json:"bus"`
	Happened string      `json:"happened"`     // unanswered
	Earlier  uint32      `json:"earlier"`      // Requests
	Age      float64     `json:"age"`          // seconds, at least
	By       *jsonParty  `json:"by,omitempty"` // nobody: who asked waits no longer
	Owe      []jsonParty `json:"owe"`          // have read Requests of before; none: they are in queues
}

// printLeft tells of Requests that a Ksock has read and not answered, and that nobody waits for any more: a service that hangs, and whose
// callers have time limits.
func (m *monitoring) printLeft(with kbus.Party, n uint32, now time.Time, age time.Duration) error {
	if n == 0 {
		return nil
	}
	m.printed++
	if m.JSON {
		return cli.WriteJSON(m.text, jsonEarlier{now.UTC().Format(time.RFC3339Nano), m.of.bus, "unanswered", n, age.Seconds(), nil, []jsonParty{partyJSON(with)}})
	}
	them := "them"
	if n == 1 {
		them = "it"
	}
	_, err := fmt.Fprintf(m.text, "%s%s %s has read %s and not answered %s; who asked waits no longer\n", m.circumstances(now).before(m.colours),
		m.colours.paint(red, "unanswered"), partyText(with), plural(n, "Request"), them)
	return err
}

// mostOwing is how many are named.
const mostOwing = 3

func (m *monitoring) printEarlier(by kbus.Party, n uint32, owe []kbus.Party, now time.Time, age time.Duration) error {
	if n == 0 {
		return nil
	}
	m.printed++
	if m.JSON {
		asker := partyJSON(by)
		j := jsonEarlier{now.UTC().Format(time.RFC3339Nano), m.of.bus, "unanswered", n, age.Seconds(), &asker, []jsonParty{}}
		for _, k := range owe {
			j.Owe = append(j.Owe, partyJSON(k))
		}
		return cli.WriteJSON(m.text, j)
	}
	var names []string
	for _, k := range owe[:min(len(owe), mostOwing)] {
		names = append(names, partyText(k))
	}
	why := strings.Join(names, ", ")
	switch {
	case len(owe) == 0:
		why = "nobody has read it; kbus list shows whose queue is not empty"
	case len(owe) == 1:
		why += " owes an answer"
	case len(owe) > mostOwing:
		why += fmt.Sprintf(" and %d more owe answers", len(owe)-mostOwing)
	default:
		why += " owe answers"
	}
	_, err := fmt.Fprintf(m.text, "%s%s %s of %s, sent before %s: %s\n", m.circumstances(now).before(m.colours),
		m.colours.paint(red, "unanswered"), plural(n, "Request"), partyText(by), m.earlier.before, why)
	return err
}

func partyText(p kbus.Party) string {
	return fmt.Sprintf("%s (Ksock %d, pid %d)", plain.Text(p.Program), p.Ksock, p.PID)
}
