package mcap

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
)

// object is an event as JSON, for reading. What appendObject writes beside it follows from the rest.
type object struct {
	Time       string `json:"time"`
	Serial     uint64 `json:"serial"`
	Bus        uint32 `json:"bus"`
	Event      string `json:"happened"`
	Condition  uint8  `json:"condition"`
	Name       string `json:"name"`
	NameBase64 []byte `json:"name_base64"`
	ID         id     `json:"id"`
	From       uint32 `json:"from"`
	To         uint32 `json:"to"`
	InReplyTo  id     `json:"in_reply_to"`
	OrigFrom   id     `json:"orig_from"`
	FinalTo    id     `json:"final_to"`
	Extra      uint32 `json:"extra"`
	Flags      uint32 `json:"flags"`
	Data       string `json:"data"`
	DataBase64 []byte `json:"data_base64"`
	DataBytes  uint32 `json:"data_bytes"`
	Parent     string `json:"traceparent"`
	Parent64   []byte `json:"traceparent_base64"`
	State      string `json:"tracestate"`
	State64    []byte `json:"tracestate_base64"`
	Ksock      uint32 `json:"ksock"`
	Program    string `json:"program"`
	PID        uint32 `json:"pid"`
	UID        uint32 `json:"uid"`
	GID        uint32 `json:"gid"`
	Reached    uint32 `json:"reached"`
	Skipped    uint32 `json:"skipped"`
	SetAside   uint32 `json:"set_aside"`
	AsReplier  bool   `json:"as_replier"`
	Replier    uint32 `json:"replier"`
	Missed     uint64 `json:"missed"`
	Boot       int64  `json:"boot_ns"`
}

// id is two numbers, as "1:2": a message's or a Ksock's of some network.
type id struct{ network, local uint32 }

func (i *id) UnmarshalText(b []byte) error {
	network, local, _ := strings.Cut(string(b), ":")
	n, err := strconv.ParseUint(network, 10, 32)
	l, err2 := strconv.ParseUint(local, 10, 32)
	if err != nil || err2 != nil {
		return fmt.Errorf("%q is not two numbers, as 0:42", b)
	}
	*i = id{uint32(n), uint32(l)}
	return nil
}

func join(s string, b []byte) []byte {
	if s != "" {
		return []byte(s)
	}
	return b
}

// parseObject reads what appendObject writes. The event shares nothing with b.
func parseObject(b []byte, e *event.Event) error {
	var o object
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	kind, ok := event.ParseKind(o.Event)
	if !ok {
		return fmt.Errorf("%q is no kind of event", o.Event)
	}
	at, err := time.Parse(time.RFC3339Nano, o.Time)
	if err != nil {
		return err
	}
	if !time.Unix(0, at.UnixNano()).Equal(at) {
		return fmt.Errorf("the time %s is too far away", o.Time)
	}
	trace := message.Trace{Parent: string(join(o.Parent, o.Parent64)), State: string(join(o.State, o.State64))}
	if c, why := trace.Fault(); c != message.OK {
		return errors.New(why)
	}
	*e = event.Event{
		Serial: o.Serial, Bus: o.Bus, Kind: kind, Condition: message.Condition(o.Condition), Missed: o.Missed, Boot: o.Boot,
		Wall: at.UnixNano(), Ksock: o.Ksock, UID: o.UID, GID: o.GID, PID: o.PID, Program: o.Program, Reached: o.Reached,
		Skipped: o.Skipped, SetAside: o.SetAside, AsReplier: o.AsReplier, Replier: o.Replier, DataBytes: o.DataBytes, Name: join(o.Name, o.NameBase64), Data: join(o.Data, o.DataBase64), Trace: message.AppendTrace(nil, &trace),
		Header: message.Header{ID: message.ID{Network: o.ID.network, Serial: o.ID.local}, InReplyTo: message.ID{Network: o.InReplyTo.network, Serial: o.InReplyTo.local}, To: message.KsockID(o.To), From: message.KsockID(o.From),
			OrigFrom: message.Origin{Network: o.OrigFrom.network, Local: o.OrigFrom.local}, FinalTo: message.Origin{Network: o.FinalTo.network, Local: o.FinalTo.local}, Extra: o.Extra, Flags: message.Flags(o.Flags)},
	}
	return nil
}
