package bus

import "fmt"

// Some switches change the whole bus for all its users. The owner of the bus says which users may turn them
// (SetAdministrators, see rules.go). The bus keeps a note of each turn (Switched), so that the owner can log it, and can put all of
// them back (Restore).

// Switch is a switch of the whole bus, by the name that people know it by.
type Switch string

// The switches.
const (
	SwitchVerbose         Switch = "verbose"
	SwitchReportBinds     Switch = "report-replier-binds"
	SwitchMaxMessageBytes Switch = "maximum message size"
)

// Switched is one turn of a switch, and the user who turned it: the zero Owner when Restore put it back.
type Switched struct {
	Switch   Switch
	By       Owner
	From, To string
}

// switches is the switches of a bus as they are now.
type switches struct {
	maxMessageBytes uint32
	verbose         bool
	reportBinds     bool
	stopping        bool
	askers          askers
	switched        []Switched // since the owner has asked
}

func (s *switches) noteSwitch(k *Ksock, which Switch, from, to any) {
	if from == to {
		return
	}
	w := Switched{Switch: which, From: fmt.Sprint(from), To: fmt.Sprint(to)}
	if k != nil {
		w.By = k.owner
	}
	s.switched = append(s.switched, w)
}

// Switched gives what has been turned since the last call.
func (s *switches) Switched() []Switched {
	turned := s.switched
	s.switched = nil
	return turned
}

// Restore puts the switches back to what the bus was made with. Replier bind events stay on for the Ksocks that asked
// for them.
func (b *Bus) Restore() {
	b.noteSwitch(nil, SwitchMaxMessageBytes, b.maxMessageBytes, b.config.MaxMessageBytes)
	b.noteSwitch(nil, SwitchVerbose, b.verbose, false)
	b.maxMessageBytes, b.verbose = b.config.MaxMessageBytes, false
}

// askers are the Ksocks that have asked for replier bind events; each goes on asking until it closes. To programs of
// the original the events are a switch of the device, which stays when the Ksock that turned it closes. So the strict
// Ksocks ask together: what one of them asks holds until the last of them is closed.
type askers struct {
	others     int // those that are not strict
	strict     bool
	strictOpen int // strict Ksocks
}

func (s *switches) askForEvents(k *Ksock) {
	switch {
	case k.strict:
		s.askers.strict = true
	case !k.asks:
		k.asks = true
		s.askers.others++
	}
	s.stillAsked()
}

func (s *switches) askNoMore(k *Ksock) {
	if k.asks {
		k.asks = false
		s.askers.others--
	}
	s.stillAsked()
}

// askersClose is askNoMore for a Ksock that closes.
func (s *switches) askersClose(k *Ksock) {
	before := s.reportBinds
	if k.strict {
		s.askers.strictOpen--
		s.askers.strict = s.askers.strict && s.askers.strictOpen > 0
	}
	s.askNoMore(k)
	s.noteSwitch(k, SwitchReportBinds, before, s.reportBinds)
}

// nobodyAsks turns the events off for all Ksocks, as an administrator may.
func (b *Bus) nobodyAsks() {
	for k := b.newest; k != nil; k = k.older {
		k.asks = false
	}
	b.askers.others, b.askers.strict = 0, false
	b.stillAsked()
}

func (s *switches) stillAsked() { s.reportBinds = s.askers.strict || s.askers.others > 0 }
