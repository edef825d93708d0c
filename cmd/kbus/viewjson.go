package main

import (
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/requests"
)

// An event as a JSON object: a message's keys are those of `kbus listen --json`, and there are more.

type jsonTapped struct {
	jsonMoment
	Happened string `json:"happened"` // sent, status, taken, opened, closed, bound, unbound
	*jsonMessage
	Ksock     uint32       `json:"ksock,omitempty"`   // whose doing; none: the bus's
	Role      string       `json:"role,omitempty"`    // of bindings
	Replier   uint32       `json:"replier,omitempty"` // the Ksock that a Request went to
	Reached   *uint32      `json:"reached,omitempty"`
	Skipped   *uint32      `json:"skipped,omitempty"`
	SetAside  uint32       `json:"set_aside,omitempty"`
	DataBytes uint32       `json:"data_bytes,omitempty"` // when less is shown
	Decoded   string       `json:"decoded,omitempty"`
	After     float64      `json:"after,omitempty"` // seconds since the Request was sent
	Failure   *cli.Failure `json:"failure,omitempty"`
}

// jsonMoment is when and where something happened.
type jsonMoment struct {
	Time      string  `json:"time"`
	SinceBoot float64 `json:"since_boot"` // seconds
	Bus       uint32  `json:"bus"`
}

type lossJSON struct {
	Bus    uint32 `json:"bus"`
	Missed uint64 `json:"missed"`
}

func eventJSON(bus uint32, e *kbus.Event, about *requests.Request, decoded string) *jsonTapped {
	j := &jsonTapped{jsonMoment: jsonMoment{e.Time.UTC().Format(time.RFC3339Nano), e.SinceBoot.Seconds(), bus}, Happened: e.Event.String(),
		Ksock: uint32(e.By.Ksock), SetAside: e.SetAside, Decoded: decoded}
	switch e.Event {
	case kbus.EventSent, kbus.EventStatus, kbus.EventTaken:
		j.jsonMessage = messageJSON(&e.Message)
		if len(e.Data) < int(e.DataBytes) {
			j.DataBytes = e.DataBytes
		}
		if e.Event == kbus.EventTaken {
			j.Data, j.From = nil, uint32(e.From)
		} else {
			j.Reached, j.Skipped, j.Replier = &e.Reached, &e.Skipped, uint32(e.Replier)
		}
	default:
		j.jsonMessage = &jsonMessage{Kind: e.Event.String(), Name: e.Message.Name}
		if e.Event == kbus.EventBound || e.Event == kbus.EventUnbound {
			j.Role = map[bool]string{true: "Replier", false: "Listener"}[e.AsReplier]
		}
	}
	if e.By.Ksock != 0 {
		j.PID, j.UID, j.Program = e.By.PID, &e.By.UID, plain.Text(e.By.Program)
	}
	if about != nil && !e.Time.Equal(about.Sent) {
		j.After = e.Time.Sub(about.Sent).Seconds()
	}
	if e.Err != nil {
		f := cli.NewFailure(e.Err.Error(), errnoOf(e.Err))
		if c, ok := e.Err.(kbus.Condition); ok {
			f.Condition = c.Name()
		}
		j.Failure = &f
	}
	return j
}

type jsonOverdue struct {
	Time     string     `json:"time"`
	Bus      uint32     `json:"bus"`
	Happened string     `json:"happened"` // unanswered
	Name     string     `json:"name"`
	ID       string     `json:"id"`
	Age      float64    `json:"age"` // seconds
	By       jsonParty  `json:"by"`
	Replier  *jsonParty `json:"replier,omitempty"` // that owes the answer; none: it waits for room
}

func overdueJSON(bus uint32, r *requests.Request, owes *kbus.Peer, now time.Time) jsonOverdue {
	j := jsonOverdue{Time: now.UTC().Format(time.RFC3339Nano), Bus: bus, Happened: "unanswered", Name: r.Name, ID: plainID(r.ID),
		Age: now.Sub(r.Sent).Seconds(), By: partyJSON(partyOf(&r.By))}
	if owes != nil {
		replier := partyJSON(partyOf(owes))
		j.Replier = &replier
	}
	return j
}

// partyOf is a process as reports name it.
func partyOf(p *kbus.Peer) kbus.Party {
	return kbus.Party{Ksock: p.Ksock, PID: p.PID, UID: p.UID, Program: p.Program}
}
