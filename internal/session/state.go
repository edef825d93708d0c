package session

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// An Engine can be handed over to another process, with its bus (bus.StateOf): what clients have been told and not yet been
// sent, what they wait for, and what a federator has to decide.

// State is all of an Engine. Sessions are told by their index in it, Ksocks by theirs in the state of the bus; bus.None is none.
type State struct {
	Bus        *bus.State
	Sessions   []SessionState
	Taps       []int // in the order in which they are shown what happens
	Federation FederationState
}

// SessionState is one connection.
type SessionState struct {
	Peer   Peer // without its Judge
	Ksock  int
	Mode   uint32
	Client ClientState
	File   *file.State
	Out    []byte
	Run    RunState
	Waits  WaitsState
	Tap    *TapState
}

// ClientState is what is known of the client.
type ClientState struct {
	Greeted, Marks, Trace bool // what may follow a message is in two of them, see wire.Marks
	Runs, Deaf, Eager     bool
}

// RunState is the results that the last frame of Out stands for, if At is not negative.
type RunState struct {
	At                         int
	Seq, Serial, Reached, More uint32
}

// WaitsState is the waiting requests, each kind in the order of asking.
type WaitsState struct {
	Nexts                          []NextState
	Calls                          []CallState
	Sents, BindRequests, Readables []uint32
}

// NextState is a NextWait.
type NextState struct{ Seq, Most uint32 }

// CallState is a Call, or a NextReply that waits.
type CallState struct {
	Op      wire.Op
	Seq     uint32
	Request message.ID
}

// TapState is a tap.
type TapState struct {
	Seq     uint32
	Filter  wire.TapFilter
	Missed  uint64
	Full    bool
	Waiting int
}

// FederationState is what there is of a federator.
type FederationState struct {
	Federator      int
	Strict, Lapsed bool
	Names          []string
	Requests       []BindRequestState
	LastID         uint32
}

// BindRequestState is a Bind that waits for the federator, or that will be tried again.
type BindRequestState struct {
	ID                 uint32
	Ksock, Waiter      int
	Name               string
	Of                 message.Origin
	Op                 wire.Op
	Seq                uint32
	Standby            bool
	HandedOut, Decided bool
	Outcome            message.Condition
}

// Refresh has what a session's window shows be looked at again with the next Pump.
func Refresh(s *Session) { s.engine.change(s) }

// IsEnding reports whether no more requests are taken from a session: it will be ended.
func IsEnding(s *Session) bool { return s.ended != nil || s.closed }

// PeerOf is the process that a session talks to.
func PeerOf(s *Session) Peer { return s.peer }
