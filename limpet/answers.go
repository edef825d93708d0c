package limpet

import (
	"strconv"
	"syscall"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// answers gives Requests on our bus what they wait for, and does not give up while a Requester still waits: an answer
// that the bus cannot take becomes a Status that says why, and a Status that it cannot take is tried again.
type answers struct {
	actions *actions
	untaken []Action // that the bus could not take
}

// refuse answers a Request on our bus in the pair's stead.
func (a *answers) refuse(msg *kbus.Message, status string) {
	a.send(&kbus.Message{
		Header: kbus.Header{To: msg.From, InReplyTo: msg.ID},
		Name:   status,
	})
}

func (a *answers) send(msg *kbus.Message) {
	a.actions.emit(Action{Kind: Send, Message: msg, answer: true})
}

// failed takes an answer that the bus did not take.
func (a *answers) failed(did Action, why kbus.Condition) {
	switch why {
	case message.ErrAddresseeGone, message.ErrNotExpected, message.ErrNotYoursToReply:
		return
	}
	if did.Message.Kind() == kbus.StatusKind && len(did.Message.Data) == 0 {
		kept := *did.Message // which may be read into again
		did.Message = &kept
		a.untaken = append(a.untaken, did)
		return
	}
	h := kbus.Header{To: did.Message.To, InReplyTo: did.Message.InReplyTo, OrigFrom: did.Message.OrigFrom}
	a.send(&kbus.Message{Header: h, Name: remoteError(why.Errno())})
}

// retry tries again what is owed.
func (a *answers) retry() {
	for _, untaken := range a.untaken {
		untaken.Again = true
		a.actions.emit(untaken)
	}
	a.untaken = nil
}

// remoteError is the name of the Status that carries an errno (Q7).
func remoteError(errno syscall.Errno) string {
	return string(kbus.ErrRemoteError) + strconv.Itoa(int(errno))
}
