package model

import (
	"fmt"

	"kbus.example/kbus/message"
)

// A history is what the clients of one running bus have seen, each by itself. No client sees the bus's own order, but the
// bus's promises hold between the histories, whatever happened in between, so they can be checked afterwards: one order
// for all, one answer for each Request, nothing twice. This needs no model of what should have arrived, and so it
// works on whole processes, where operations of many clients overlap.

// Client is what one Ksock asked and received.
type Client struct {
	ID     message.KsockID // of the Ksock
	Got    []Receipt       // all that it received, in the order in which it did
	Asked  []message.ID    // Requests that SEND took (OK) or holds (ErrPending), without those that were discarded
	GaveUp []message.ID    // Requests whose answers it did not want: as a Listener it may get them all the same
	Copies int             // how many copies of a message its bindings may bring it; 0 is 1
	Left   bool            // it closed, or did not read all in the end: answers may be missing
}

// Receipt is one message as a client received it.
type Receipt struct {
	message.Message
	Picked bool // by NextReply, before its turn
	Held   bool // it may have been held, and have come when its reader became the Replier
}

// Check lists all that is wrong with a history, one line for each violation. Message ids must be unique, which is the
// user's affair for those with a network id (R1.13), and no serial number may be more than 2^31 behind another.
func Check(history []Client) (violations []string) {
	violations = append(violations, CheckOrder(history)...)
	for _, c := range history {
		violations = append(violations, CheckSerials(c)...)
		violations = append(violations, CheckAnswers(c)...)
		violations = append(violations, CheckCopies(c)...)
	}
	return append(violations, CheckAsked(history)...)
}

// CheckAnswers finds Requests that got no Reply or Status, or two, and answers to what this client never asked (R5.1).
func CheckAnswers(c Client) (violations []string) {
	answers := map[message.ID][]message.ID{} // by Request
	for _, m := range c.Got {
		ids := answers[m.InReplyTo]
		if m.IsReply() && m.To == c.ID && !contains(ids, m.ID) { // it may come again, to c as a Listener (R4.48)
			answers[m.InReplyTo] = append(ids, m.ID)
		}
	}
	for _, id := range c.Asked {
		if n := len(answers[id]); n > 1 || n == 0 && !c.Left {
			violations = append(violations, fmt.Sprintf(
				"R5.1: Ksock %d asked %v and got %d answers: %v", c.ID, id, n, answers[id]))
		}
		delete(answers, id)
	}
	for _, m := range c.Got {
		if ids, unasked := answers[m.InReplyTo]; unasked && !contains(c.GaveUp, m.InReplyTo) {
			violations = append(violations, fmt.Sprintf(
				"R4.13: Ksock %d got the answers %v to %v, which it did not ask", c.ID, ids, m.InReplyTo))
			delete(answers, m.InReplyTo)
		}
	}
	return violations
}

// CheckCopies finds messages that a client received more often than its bindings can explain (R4.21).
func CheckCopies(c Client) (violations []string) {
	copies := map[message.ID]int{}
	for _, m := range c.Got {
		if copies[m.ID]++; copies[m.ID] == max(c.Copies, 1)+1 {
			violations = append(violations, fmt.Sprintf(
				"R4.21: Ksock %d got %v more than %d times", c.ID, m.ID, copies[m.ID]-1))
		}
	}
	return violations
}

// CheckAsked finds Requests that came to more than one reader with WantYouToReply (R4.23).
func CheckAsked(history []Client) (violations []string) {
	asked := map[message.ID]message.KsockID{}
	for _, c := range history {
		for _, m := range c.Got {
			if !m.WantsUsToReply() {
				continue
			}
			if other, twice := asked[m.ID]; twice {
				violations = append(violations, fmt.Sprintf(
					"R4.23: both Ksock %d and Ksock %d were told to reply to %v", other, c.ID, m.ID))
			}
			asked[m.ID] = c.ID
		}
	}
	return violations
}
