package top

import (
	"fmt"
	"time"

	"kbus.example/kbus"
)

// A picture as a JSON object, for what `kbus top --json` prints and what a browser is sent. Times are seconds, rates per second.

// JSON is the object.
type JSON struct {
	Bus     uint32      `json:"bus"`
	Time    string      `json:"time"`
	Seconds float64     `json:"seconds"` // that the rates are about
	Since   float64     `json:"since"`   // that we have looked
	NotSeen uint64      `json:"not_seen"`
	Ksocks  []KsockJSON `json:"ksocks"`
	Names   []NameJSON  `json:"names"`
}

// PartyJSON is a Ksock and the process behind it.
type PartyJSON struct {
	Ksock   uint32 `json:"ksock"`
	PID     uint32 `json:"pid"`
	UID     uint32 `json:"uid"`
	Program string `json:"program"`
}

// KsockJSON is what a Ksock does.
type KsockJSON struct {
	PartyJSON
	Out         float64 `json:"out"`
	OutBytes    float64 `json:"out_bytes"`
	In          float64 `json:"in"`
	InBytes     float64 `json:"in_bytes"`
	Queued      uint32  `json:"queued"`
	MaxMessages uint32  `json:"max_messages"`
	Missed      uint64  `json:"missed"`
	MissedNow   uint64  `json:"missed_now"`
	Outstanding uint32  `json:"outstanding"`       // Requests of its own that are not answered yet
	Sending     bool    `json:"sending,omitempty"` // a message of it waits for room
	Debt
}

// Debt is the Requests that a Ksock owes an answer.
type Debt struct {
	Unanswered int        `json:"unanswered"`
	Oldest     float64    `json:"oldest,omitempty"`
	Older      bool       `json:"oldest_is_older,omitempty"` // it was sent before we looked
	Owes       []OwedJSON `json:"owes,omitempty"`
}

// OwedJSON is one of them.
type OwedJSON struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	From    uint32  `json:"from"`
	PID     uint32  `json:"pid"`
	Program string  `json:"program"`
	Age     float64 `json:"age"`
}

// NameJSON is what is sent under one name.
type NameJSON struct {
	Name     string  `json:"name"`
	Rate     float64 `json:"rate"`
	Bytes    float64 `json:"bytes"`
	Size     float64 `json:"size"`
	Reached  float64 `json:"reached"`
	Messages uint64  `json:"messages"` // since we look, and so the rest
	Skipped  uint64  `json:"skipped"`
	Refused  uint64  `json:"refused"`
	Statuses uint64  `json:"statuses"`
	Answered uint64  `json:"answered"`
	Mean     float64 `json:"answer_mean,omitempty"`
	Longest  float64 `json:"answer_longest,omitempty"`
}

// JSON makes it.
func (p *Picture) JSON() *JSON {
	j := &JSON{Bus: uint32(p.Bus), Time: p.Time.UTC().Format(time.RFC3339Nano), Seconds: p.Over.Seconds(), Since: p.Since.Seconds(),
		NotSeen: p.Lost, Ksocks: []KsockJSON{}, Names: []NameJSON{}}
	for _, k := range p.Ksocks {
		user := KsockJSON{PartyJSON: PartyJSON{uint32(k.Ksock), k.PID, k.UID, k.Program},
			Out: k.Out.Messages, OutBytes: k.Out.Bytes, In: k.In.Messages, InBytes: k.In.Bytes,
			Queued: k.Queued, MaxMessages: k.MaxMessages, Missed: k.Missed, MissedNow: k.MissedNow, Outstanding: k.Outstanding, Sending: k.Sending,
			Debt: Debt{Unanswered: k.Unanswered, Oldest: k.Oldest.Seconds(), Older: k.Older}}
		for _, o := range k.Owes {
			user.Owes = append(user.Owes, OwedJSON{ID: ID(o.ID), Name: o.Name, From: uint32(o.By.Ksock), PID: o.By.PID,
				Program: o.By.Program, Age: o.Age.Seconds()})
		}
		j.Ksocks = append(j.Ksocks, user)
	}
	for _, n := range p.Names {
		j.Names = append(j.Names, NameJSON{Name: n.Name, Rate: n.Rate.Messages, Bytes: n.Rate.Bytes, Size: n.Size(), Reached: n.Reached,
			Messages: n.Messages, Skipped: n.Skipped, Refused: n.Refused, Statuses: n.Statuses, Answered: n.Answered,
			Mean: n.Mean.Seconds(), Longest: n.Longest.Seconds()})
	}
	return j
}

// ID is an id as JSON has it: "network:serial".
func ID(id kbus.ID) string { return fmt.Sprintf("%d:%d", id.Network, id.Serial) }
