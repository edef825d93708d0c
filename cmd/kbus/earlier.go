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
// it: it was sent before. But the daemon's report counts how many Requests of a Ksock are without an answer, and those that the tap
// has shown are known; the rest are earlier ones. Their names nobody can tell any more.

// earlier is how many they are at most, by who has asked. It only gets less.
type earlier struct {
	requests map[kbus.KsockID]uint32
	began    time.Time
}

// earliest is how long they have waited at least when they are told of.
const earliest = time.Second

// lookForEarlier begins to look, where all Requests are shown.
func (m *monitoring) lookForEarlier(ctx context.Context) error {
	if !m.unanswered || m.ksock != 0 || len(m.patterns) > 0 {
		return nil
	}
	all, err := m.observer.List(ctx)
	m.earlier = earlier{map[kbus.KsockID]uint32{}, time.Now()}
	for _, k := range all {
		m.earlier.requests[k.Ksock] = k.Outstanding
	}
	return err
}

// showEarlier looks again, and prints those that wait still, once.
func (m *monitoring) showEarlier(ctx context.Context, now time.Time) error {
	if m.earlier.requests == nil {
		return nil
	}
	all, err := m.observer.List(ctx)
	if err != nil {
		return err
	}
	by, of := map[kbus.KsockID]uint32{}, map[kbus.KsockID]uint32{} // Requests that are known, by who asks and who has to answer
	for _, r := range m.of.open {
		by[r.By.Ksock]++
		of[r.Replier]++
	}
	left := map[kbus.KsockID]uint32{}
	var ask, owe []kbus.Party
	for _, k := range all {
		if n := min(m.earlier.requests[k.Ksock], k.Outstanding-min(k.Outstanding, by[k.Ksock])); n > 0 {
			left[k.Ksock] = n
			ask = append(ask, k.Party)
		}
		if k.Unreplied > of[k.Ksock] {
			owe = append(owe, k.Party)
		}
	}
	m.earlier.requests = left
	age := now.Sub(m.earlier.began)
	if age < max(earliest, m.slow) {
		return nil
	}
	for _, k := range ask {
		if err == nil && (m.count == 0 || m.printed < m.count) {
			err = m.printEarlier(k, left[k.Ksock], owe, now, age)
		}
	}
	m.earlier.requests = nil
	return err
}

type jsonEarlier struct {
	Time     string      `json:"time"`
	Bus      uint32      `json:"bus"`
	Happened string      `json:"happened"` // unanswered
	Earlier  uint32      `json:"earlier"`  // Requests
	Age      float64     `json:"age"`      // seconds, at least
	By       jsonParty   `json:"by"`
	Owe      []jsonParty `json:"owe"` // have read Requests of before; none: they are in queues
}

// mostOwing is how many are named.
const mostOwing = 3

func (m *monitoring) printEarlier(by kbus.Party, n uint32, owe []kbus.Party, now time.Time, age time.Duration) error {
	m.printed++
	if m.JSON {
		j := jsonEarlier{now.UTC().Format(time.RFC3339Nano), m.of.bus, "unanswered", n, age.Seconds(), partyJSON(by), []jsonParty{}}
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
	_, err := fmt.Fprintf(m.text, "%s%s %s of %s, sent before this monitor began: %s\n", m.circumstances(now).before(m.colours),
		m.colours.paint(red, "unanswered"), plural(n, "Request"), partyText(by), why)
	return err
}

func partyText(p kbus.Party) string {
	return fmt.Sprintf("%s (Ksock %d, pid %d)", plain.Text(p.Program), p.Ksock, p.PID)
}
