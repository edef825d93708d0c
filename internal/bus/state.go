package bus

import "kbus.example/kbus/message"

// A bus can be handed over to another process, which goes on where this one has stopped: StateOf gives all that a bus
// knows as plain data, and FromState makes a bus of it. Whatever is done to that bus afterwards has the outcome that it
// would have had here. docs/handover.md says how the bytes of it look and what a change of these types means.
//
// What a bus remembers only to be quick (indexes, known names, freed memory) is not in it, nor what its owner gives it:
// limits, judges, hooks, windows and the tap.

// State is all of a bus. Ksocks, bindings and messages are told by their index in their lists; None is none of them.
type State struct {
	Fixed     Fixed
	Switches  Switches
	Counters  Counters
	Messages  []MessageState
	Ksocks    []KsockState   // newest first, as Ksocks yields them
	Bindings  []BindingState // oldest first
	Aside     SetAsideState  // of the strict Ksocks
	Startable StartableState
	Departed  DepartedState
	Carriage  CarriageState
	Wakes     WakesState
	Charges   map[uint32]int64 // bytes by user, to be checked: they follow from the rest
}

// None is the index of nothing.
const None = -1

// Fixed is what a bus has for life.
type Fixed struct {
	MaxMessageBytes, AbsMaxMessageBytes, MaxMessages, Incarnation uint32
	MaxSetAside, MaxHeld                                          int
}

// Switches are those of the whole bus.
type Switches struct {
	MaxMessageBytes      uint32
	Verbose, ReportBinds bool
	StrictAsk            bool // strict Ksocks ask for bind events
	Stopping             bool
	Switched             []Switched // not asked for yet
}

// Counters go on counting.
type Counters struct {
	NextKsock, NextSerial uint32
	SharedIDs             bool // two Ksocks had the same id at some time
	Decided, Made         uint64
	Worked                int
	Quickly               Quickly
}

// StartableState is the names that can be started.
type StartableState struct {
	Names []string
	Held  []HeldState // oldest first
	Calls []Call      // that nobody was told of
}

// HeldState is a Request that is held.
type HeldState struct {
	Message int
	Payer   uint32 // user
}

// MessageState is a message that something refers to.
type MessageState struct {
	Header        message.Header
	Name, Data    []byte
	Trace         []byte // its trace context
	ListenersOnly bool
}

// KsockState is one Ksock.
type KsockState struct {
	ID       message.KsockID
	Owner    Owner // without its Judge
	Settings KsockSettings
	Queue    QueueState
	Aside    SetAsideState // its own, if it is not strict
	Missed   MissedState
	Sending  SendingState
	Asked    []message.ID // Requests that it waits for the answers of, oldest first
	Owed     []OwedState  // Requests that it owes answers for, oldest first
	GivenUp  map[message.ID]int
	Most     [2]uint32 // of Asked and of Owed, ever
	LastFrom message.KsockID
}

// KsockSettings is what a Ksock was made with or has turned.
type KsockSettings struct {
	MaxMessages              uint32
	Strict, OnlyOnce         bool
	AsksForEvents            bool
	Carries, NamesTheNetwork bool
}

// QueueState is a queue, front to back.
type QueueState struct {
	Entries     []EntryState
	Front, Back int64
	ToLook      [2]int64
	LookFrom    int64
	LastPushed  message.ID
}

// EntryState is one place in a queue.
type EntryState struct {
	Message, Via int
	Number       int64
	Missed       uint32
}

// MissedState is what a Ksock missed.
type MissedState struct {
	Total, Got      uint64
	Since, Reported uint32
}

// SendingState is the message of a Ksock that waits for room, and for whose.
type SendingState struct {
	Message, Blocker int
	Short            int64
	LastSent         message.ID
}

// OwedState is a Request that has been read.
type OwedState struct {
	ID        message.ID
	Requester message.KsockID
}

// BindingState is one binding.
type BindingState struct {
	Ksock            int
	Name             string
	Replier, Standby bool
	Of               message.Origin
	Made             uint64
	Card             []byte
}

// SetAsideState is a list of events that were set aside, oldest first.
type SetAsideState struct {
	Events []AsideState
	Number uint64
	Tragic bool
}

// AsideState is one of them.
type AsideState struct {
	Via, Message int
	Number       uint64
}

// DepartedState is the Ksocks that have closed and are remembered.
type DepartedState struct {
	Owners map[message.KsockID]Owner
	Recent []message.KsockID // a ring
	Next   int
	Sweep  int
}

// CarriageState is what is known of other buses.
type CarriageState struct {
	Network uint32
	Turn    uint64
	Others  []OtherBusState
}

// OtherBusState is what is known of one life of another bus.
type OtherBusState struct {
	Network, Incarnation uint32
	Window               message.ReplayWindow
	Way                  int // a Ksock; None: several; closedWay: one that has closed
	Used                 uint64
}

// closedWay is the index of a Ksock that is no more.
const closedWay = -2

// WakesState is what the bus owes its owner, as indexes of Ksocks.
type WakesState struct{ Readers, Due, Pending []int }

// TakeBack takes back what windows show, so that no client can take anything until it is shown again; all that have shown
// something are Woken. It is for an owner that wants the state of the bus.
func TakeBack(b *Bus) {
	for k := b.newest; k != nil; k = k.older {
		b.SyncWindow(k)
		b.reclaim(k)
	}
}
