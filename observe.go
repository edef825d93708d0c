package kbus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/client/driver"
	"kbus.example/kbus/internal/machine"
	"kbus.example/kbus/internal/wire"
)

// Observer tells of a bus: who is on it and what they wait for. By itself it has no Ksock, so looking changes nothing
// that is looked at. What Ksock.Observer gives is a view of that Ksock's bus, over its connection.
type Observer struct {
	endpoint *endpoint
	conn     *atomic.Pointer[conn] // of the Ksock, or our own
	own      bool
}

// Bus is the number of the bus.
func (o *Observer) Bus() BusNumber { return BusNumber(o.conn.Load().Bus()) }

// String gives "Observer device 0", or "Observer device 0 (closed)".
func (o *Observer) String() string {
	c := o.conn.Load()
	if c.Ended() == ErrClosed {
		return fmt.Sprintf("Observer device %d (closed)", c.Bus())
	}
	return fmt.Sprintf("Observer device %d", c.Bus())
}

// Close ends the connection of an Observer that has one of its own; a Ksock's is the Ksock's to close. It always
// succeeds, also a second time.
func (o *Observer) Close() error {
	if o.own {
		o.conn.Load().End(driver.Farewell)
	}
	return nil
}

// Who tells who would get a message of that name: its Replier, whose Ksock is 0 if there is none, and an entry for each
// Listener binding. ErrBadName and ErrNameTooLong as for sending.
func (o *Observer) Who(ctx context.Context, name string) (replier Party, listeners []Party, err error) {
	b, err := o.conn.Load().content(ctx, wire.OpWho, name)
	if err != nil {
		return Party{}, nil, err
	}
	first, rest, ok := wire.ParseWho(b)
	if !ok {
		return Party{}, nil, garbled(wire.OpWho)
	}
	for _, p := range rest {
		listeners = append(listeners, party(p))
	}
	return party(first), listeners, nil
}

// List tells of all Ksocks, the newest first.
func (o *Observer) List(ctx context.Context) ([]KsockInfo, error) {
	b, err := o.conn.Load().content(ctx, wire.OpList, "")
	if err != nil {
		return nil, err
	}
	entries, ok := wire.ParseList(b)
	if !ok {
		return nil, garbled(wire.OpList)
	}
	list := make([]KsockInfo, len(entries))
	for i, e := range entries {
		list[i] = ksockInfo(e)
	}
	return list, nil
}

// Info tells the figures of the whole bus.
func (o *Observer) Info(ctx context.Context) (BusInfo, error) {
	b, err := o.conn.Load().content(ctx, wire.OpInfo, "")
	if err != nil {
		return BusInfo{}, err
	}
	info, ok := wire.ParseInfo(b)
	if !ok {
		return BusInfo{}, garbled(wire.OpInfo)
	}
	return busInfo(info), nil
}

// Peer is the process behind a Ksock, as the bus knew it when it connected: that is the kernel's word, not the process's
// own.
type Peer struct {
	Ksock         KsockID
	UID, GID, PID uint32
	Program       string // its name, for people: a process may call itself anything
	Connected     bool   // the Ksock was still open when the bus was asked
}

// Peer tells who sent a message. The bus knows also of a Ksock that has closed since, as long as a message of it is queued,
// a Request of it is open, or somebody has just taken a message of it; ErrUnknownKsock if it does not know any more, or if
// the message is the bus's own (From is 0). What came through a Limpet was sent, on this bus, by the Limpet.
//
// A process id is used again by the system when its process has gone. As long as Connected is true that has not happened,
// but for a process that has left its connection to a child; see Process.
func (o *Observer) Peer(ctx context.Context, m *Message) (Peer, error) { return o.PeerOf(ctx, m.From) }

// PeerOf is Peer for the number of a Ksock.
func (o *Observer) PeerOf(ctx context.Context, ksock KsockID) (Peer, error) {
	c := o.conn.Load()
	c.Lock()
	defer c.Unlock()
	q := c.Question(wire.OpPeer)
	defer c.Release(q)
	q.Arg = uint32(ksock)
	if err := c.ask(ctx, q); err != nil {
		if e, ok := err.(*Error); ok {
			e.Name = "Ksock " + strconv.FormatUint(uint64(ksock), 10)
		}
		return Peer{}, err
	}
	p, ok := wire.ParsePeer(q.Payload)
	if !ok {
		return Peer{}, publicError(q.Failure(client.Unexpected("to peer")))
	}
	return Peer{
		Ksock: ksock, UID: p.UID, GID: p.GID, PID: p.PID, Program: p.Program, Connected: p.Connected,
	}, nil
}

// Process is Peer, and a descriptor of the process itself (a pidfd): it means that one process for good, also when its
// number is used again, and becomes readable when the process ends. The bus is asked again after it has been opened: if the
// Ksock is still there then, no other process can have had the number in between. The descriptor is nil when the Ksock has
// closed, or the system has none to give (before Linux 5.3); who gets it closes it.
func (o *Observer) Process(ctx context.Context, m *Message) (Peer, *os.File, error) {
	p, err := o.Peer(ctx, m)
	if err != nil || !p.Connected {
		return p, nil, err
	}
	f := machine.Process(p.PID)
	if f == nil {
		return p, nil, nil
	}
	if p, err = o.Peer(ctx, m); err != nil || !p.Connected {
		f.Close()
		return p, nil, err
	}
	return p, f, nil
}

// BindingsReport is the text that the original shows in /proc/kbus/bindings, for this bus.
func (o *Observer) BindingsReport(ctx context.Context) (string, error) {
	b, err := o.conn.Load().content(ctx, wire.OpBindingsReport, "")
	return string(b), err
}

// StatsReport is the text that the original shows in /proc/kbus/stats, for this bus.
func (o *Observer) StatsReport(ctx context.Context) (string, error) {
	b, err := o.conn.Load().content(ctx, wire.OpStatsReport, "")
	return string(b), err
}

// BindingInfo is one line of the bindings report.
type BindingInfo struct {
	Bus   BusNumber
	Ksock KsockID
	PID   uint32
	As    Role
	Name  string
}

// Bindings is the bindings report as data, the newest binding first.
func (o *Observer) Bindings(ctx context.Context) ([]BindingInfo, error) {
	report, err := o.BindingsReport(ctx)
	if err != nil {
		return nil, err
	}
	return ParseBindingsReport(report)
}

// ParseBindingsReport reads a bindings report, ours or that of an original KBUS. Lines that begin with # say nothing.
func ParseBindingsReport(report string) ([]BindingInfo, error) {
	var list []BindingInfo
	for line := range strings.Lines(report) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var b BindingInfo
		var as string
		if _, err := fmt.Sscanf(line, "%d: %d %d %s %s", &b.Bus, &b.Ksock, &b.PID, &as, &b.Name); err != nil {
			return list, fmt.Errorf("kbus: bindings report: %q: %w", line, err)
		}
		switch as {
		case "R":
			b.As = Replier
		case "S":
			b.As = Standby
		}
		list = append(list, b)
	}
	return list, nil
}

// Party is a Ksock and the process that opened it, as the daemon knows it from the kernel.
type Party struct {
	Ksock   KsockID // 0 for nobody
	PID     uint32
	UID     uint32
	Program string // name of the program, at most 255 bytes of it
}

// KsockInfo is what is known of a Ksock.
type KsockInfo struct {
	Party
	Mode            Mode
	Queued          uint32 // messages in the queue
	MaxMessages     uint32 // limit of the queue
	Outstanding     uint32 // Requests that it waits to be answered
	OutstandingMost uint32 // as many as there ever were
	Unreplied       uint32 // Requests that it has read and must answer
	UnrepliedMost   uint32 // as many as there ever were
	SetAside        uint32 // replier bind events set aside for it
	OnlyOnce        bool   // it gets one copy of a message at most
	Sending         bool   // a message of it waits for room
	LastSent        ID     // of the message last sent
	Bindings        uint32 // how many, as Replier and as Listener together
	Waiting         uint32 // things that its program waits for: messages, answers, room
	UnsentBytes     uint32 // of results that its program has not taken yet
	Missed          uint64 // messages that it did not get because its queue was full
	Original        bool   // its program was written for the original KBUS, see the option Original
	Strict          bool   // nobody becomes a Replier while it listens for bind events and its queue is full
}

func ksockInfo(e wire.KsockEntry) KsockInfo {
	return KsockInfo{
		Party: party(e.Party), Mode: Mode(e.Mode), Queued: e.Queued, MaxMessages: e.MaxMessages,
		Outstanding: e.Outstanding, OutstandingMost: e.OutstandingMost,
		Unreplied: e.Unreplied, UnrepliedMost: e.UnrepliedMost, SetAside: e.SetAside,
		OnlyOnce: e.OnlyOnce != 0, Sending: e.Sending != 0, LastSent: ID{Network: e.LastNetwork, Serial: e.LastSerial},
		Bindings: e.Bindings, Waiting: e.Waiting, UnsentBytes: e.UnsentBytes,
		Missed: uint64(e.MissedHigh)<<32 | uint64(e.Missed), Original: e.Original != 0, Strict: e.Strict != 0,
	}
}

func party(p wire.Party) Party {
	return Party{Ksock: KsockID(p.Ksock), PID: p.PID, UID: p.UID, Program: p.Program}
}

// BusInfo is the figures of a whole bus.
type BusInfo struct {
	Bus                BusNumber
	NextKsock          KsockID // of the next Ksock that opens, 0 until the first
	NextSerial         uint32  // serial number of the next message, 0 until the first
	Ksocks             uint32  // open
	Connections        uint32  // Ksocks and Observers
	Bindings           uint32  // as Replier and as Listener together
	Repliers           uint32  // bindings as Replier
	Queued             uint32  // messages in all queues
	Outstanding        uint32  // Requests not answered yet
	Sending            uint32  // Ksocks with a message that waits for room
	SetAside           uint32  // replier bind events set aside
	Tragic             bool    // so many were set aside that some were lost
	Verbose            bool    // it logs what it does
	ReportReplierBinds bool    // it announces Repliers that bind and unbind
	MaxMessageBytes    uint32  // longest message now, entire form
	AbsMaxMessageBytes uint32  // and at most
	Stopping           bool    // the bus is ending
}

func busInfo(i wire.Info) BusInfo {
	return BusInfo{
		Bus: BusNumber(i.Bus), NextKsock: KsockID(i.NextKsock), NextSerial: i.NextSerial,
		Ksocks: i.Ksocks, Connections: i.Connections, Bindings: i.Bindings, Repliers: i.Repliers,
		Queued: i.Queued, Outstanding: i.Outstanding, Sending: i.Sending, SetAside: i.SetAside,
		Tragic: i.Tragic != 0, Verbose: i.Verbose != 0, ReportReplierBinds: i.ReportReplierBinds != 0,
		MaxMessageBytes: i.MaxMessageBytes, AbsMaxMessageBytes: i.AbsMaxMessageBytes, Stopping: i.Stopping != 0,
	}
}

func garbled(op wire.Op) error {
	return &Error{Op: client.Verb(op), Err: client.Unexpected("of the wrong form")}
}

// ServiceInfo is what a daemon tells of a name whose Replier it can start.
type ServiceInfo struct {
	Name        string
	Program     string // its path, or the name of systemd's unit
	File        string // that configures it
	State       ServiceState
	PID         uint32 // of the program that the daemon has started; 0 if none runs, and for a unit
	Replier     Party  // of the name now, whoever started it; its Ksock is 0 if there is none, and of its process only PID is set
	Held        int    // Requests that wait for it
	Failures    int    // in a row
	LastFailure string // "" if there was none,
	Ago         time.Duration
	NextTryIn   time.Duration // of one that has failed: before that nobody starts it
}

// ServiceState is one word.
type ServiceState string

// The states of a service.
const (
	ServiceIdle     ServiceState = "idle"     // nobody has asked, or its program has ended well
	ServiceStarting ServiceState = "starting" // it has been started, and is not the Replier yet
	ServiceRunning  ServiceState = "running"  // it has been the Replier since its start
	ServiceFailed   ServiceState = "failed"   // the last try did, and the next may have to wait
)

// Services tells of the names whose Replier the daemon can start, in the order of its files; none on a bus without. Names that a
// service has several of are listed one by one.
func (o *Observer) Services(ctx context.Context) ([]ServiceInfo, error) {
	b, err := o.conn.Load().content(ctx, wire.OpServices, "")
	if err != nil {
		return nil, err
	}
	list := []ServiceInfo{}
	for line := range bytes.Lines(b) {
		var s wire.Service
		if json.Unmarshal(line, &s) != nil {
			return nil, garbled(wire.OpServices)
		}
		list = append(list, ServiceInfo{
			Name: s.Name, Program: s.Program, File: s.File, State: ServiceState(s.State), PID: s.PID,
			Replier: Party{Ksock: KsockID(s.Replier), PID: s.ReplierPID}, Held: s.Held, Failures: s.Failures,
			LastFailure: s.LastFailure, Ago: seconds(s.LastFailureAgo), NextTryIn: seconds(s.NextTryIn),
		})
	}
	return list, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
