package bus

import (
	"fmt"
	"strings"

	"kbus.example/kbus/message"
)

// A condition says what is wrong, by a name that programs can compare. People want to know more: which Ksock is in the
// way, which value the limit has and where it is set. Why says that, in a few words that may follow the condition's
// own.

// mostNamed is how many of the Ksocks in the way are named.
const mostNamed = 3

// Why says more about the condition that the last operation has ended in; "" when there is no more to say.
func (b *Bus) Why(c message.Condition) string {
	who := b.plan.behind
	b.plan.behind = nil
	switch c {
	case message.ErrEventUndelivered:
		return b.whoIsBehind()
	case message.ErrReplierFull, message.ErrListenerFull:
		if who != nil {
			return who.called() + " has " + who.fullness()
		}
		if b.plan.held {
			return fmt.Sprintf("%d Requests wait already for its service to be started, %d of them of this user; of the places, %d, "+
				"setting limits.held-requests"+halves, b.refused[0], b.refused[1], b.config.MaxHeld)
		}
	case message.ErrNoRoomForReply, message.ErrReportFull:
		if who != nil {
			return "it has " + who.fullness()
		}
	case message.ErrDenied:
		if b.denier != nil {
			return b.denier.Refused()
		}
	case message.ErrMessageTooLong:
		return limitIs(int64(b.MaxMessageBytes()), "message-bytes")
	case message.ErrBadSize:
		return fmt.Sprintf("%d at least, and at most %s", leastMessageBytes, limitIs(int64(b.config.AbsMaxMessageBytes), "message-bytes-ceiling"))
	}
	return b.accounts.why(c)
}

// called is how a Ksock is named to people.
func (k *Ksock) called() string {
	return fmt.Sprintf("Ksock %d (pid %d, %s)", k.id, k.owner.PID, k.owner.Program)
}

// fullness says what a full queue is full of.
func (k *Ksock) fullness() string {
	n := k.load()
	if n < k.maxMessages {
		return fmt.Sprintf("%d messages, and its user may keep no more, setting limits.user-queue-bytes", n)
	}
	return fmt.Sprintf("%d messages or expected Replies, %d are the most: MaxMessages of the Ksock, at first limits.queue-messages",
		n, k.maxMessages)
}

func (s *sending) whoIsBehind() string {
	var text strings.Builder
	for i, k := range s.behind {
		if i == mostNamed {
			fmt.Fprintf(&text, " and %d more", len(s.behind)-i)
			break
		}
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(k.called())
	}
	return text.String()
}

// why names the limit that a condition is about, its value, and its setting.
func (a *accounts) why(c message.Condition) string {
	l := &a.limits
	switch c {
	case message.ErrUserConnections:
		return limitIs(l.UserKsocks, "user-connections")
	case message.ErrBusConnections:
		return limitIs(l.Ksocks, "connections") + eighth
	case message.ErrUserBindings:
		return limitIs(l.UserBindings, "user-bindings")
	case message.ErrBusBindings:
		return limitIs(l.Bindings, "bindings") + eighth
	case message.ErrUserWildcards:
		return limitIs(l.UserWildcards, "user-wildcards")
	case message.ErrSameBinding:
		return fmt.Sprintf("%d are the most, and there is no setting for that", maxSame)
	case message.ErrUserQueueBytes:
		return limitIs(l.UserQueueBytes, "user-queue-bytes")
	case message.ErrBusQueueBytes:
		return limitIs(l.QueueBytes, "queue-bytes") + halves
	}
	return ""
}

// How what all users share is shared out.
const (
	halves = ", of which a user has at most half of what the others leave"
	eighth = ", of which the last eighth is for users who have few"
)

func limitIs[T int | int64](value T, key string) string {
	return fmt.Sprintf("%d, setting limits.%s", value, key)
}
