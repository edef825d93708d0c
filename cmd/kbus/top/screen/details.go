package screen

import (
	"fmt"
	"strings"

	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/top"
	"kbus.example/kbus/message"
)

// One Ksock or one name, with all that is known of it.

func (v *View) details() []string {
	if v.onNames {
		for i := range v.shown.Names {
			if n := &v.shown.Names[i]; v.names.key(n) == v.names.at {
				return v.nameDetails(n)
			}
		}
		return []string{"", "nothing is said under that name"}
	}
	for i := range v.shown.Ksocks {
		if k := &v.shown.Ksocks[i]; v.ksocks.key(k) == v.ksocks.at {
			return v.ksockDetails(k)
		}
	}
	return []string{"", "Ksock " + v.ksocks.at + " has closed"}
}

func (v *View) ksockDetails(k *top.Ksock) []string {
	lines := []string{
		"",
		v.paint(bold, fmt.Sprintf("Ksock %d of %s, pid %d, uid %d", k.Ksock, plain.Text(k.Program), k.PID, k.UID)),
		"",
		fmt.Sprintf("sends     %s messages/s, %s bytes/s; last %v", Amount(k.Out.Messages), Amount(k.Out.Bytes), k.LastSent),
		fmt.Sprintf("gets      %s messages/s, %s bytes/s", Amount(k.In.Messages), Amount(k.In.Bytes)),
		fmt.Sprintf("queue     %s %d of %d", bar(k.Queued, k.MaxMessages, 20), k.Queued, k.MaxMessages),
		fmt.Sprintf("missed    %d in all, %d now", k.Missed, k.MissedNow),
		fmt.Sprintf("asks      %d Requests are not answered", k.Outstanding),
	}
	if k.Sending {
		lines = append(lines, "          a message of it waits until there is room for it")
	}
	owes := fmt.Sprintf("owes      %d answers", k.Unanswered)
	if k.Unanswered > 0 {
		owes += ", the oldest for " + Oldest(k)
	}
	lines = append(lines, owes)
	for _, o := range k.Owes[:min(len(k.Owes), 5)] {
		lines = append(lines, fmt.Sprintf("          %v %s of %s (Ksock %d, pid %d), %s ago", o.ID, plain.Text(o.Name), plain.Text(o.By.Program),
			o.By.Ksock, o.By.PID, Age(o.Age)))
	}
	if more := len(k.Owes) - 5; more > 0 {
		lines = append(lines, fmt.Sprintf("          and %d more", more))
	}
	lines = append(lines, fmt.Sprintf("bound     to %d names", len(k.Bound)))
	for _, b := range k.Bound {
		lines = append(lines, fmt.Sprintf("          %s as %v", b.Name, b.As))
	}
	return lines
}

func (v *View) nameDetails(n *top.Name) []string {
	lines := []string{
		"",
		v.paint(bold, plain.Text(n.Name)),
		"",
		fmt.Sprintf("said      %s messages/s, %s bytes/s; %d in all, of %s bytes", Amount(n.Rate.Messages), Amount(n.Rate.Bytes), n.Messages, Amount(n.Size())),
		fmt.Sprintf("reached   %s copies/s; %d in all", Amount(n.Reached), n.Copies),
		fmt.Sprintf("skipped   %d bindings whose queue was full", n.Skipped),
		fmt.Sprintf("refused   %d", n.Refused),
	}
	if n.Answered+n.Statuses > 0 {
		lines = append(lines, fmt.Sprintf("answered  %d Requests, on average after %s, at most %s; %d by a Status", n.Answered, Took(n, n.Mean),
			Took(n, n.Longest), n.Statuses))
	}
	return append(lines, v.boundTo(n.Name)...)
}

// boundTo tells who is bound to a name.
func (v *View) boundTo(name string) (lines []string) {
	for i := range v.shown.Ksocks {
		k := &v.shown.Ksocks[i]
		for _, b := range k.Bound {
			if message.Matches(b.Name, name) {
				lines = append(lines, fmt.Sprintf("          Ksock %d of %s, pid %d, as %v of %s", k.Ksock, plain.Text(k.Program), k.PID, b.As, b.Name))
			}
		}
	}
	return append([]string{fmt.Sprintf("bound     %d", len(lines))}, lines...)
}

func help() []string {
	return strings.Split(`
  tab              go to the other table
  up, down, k, j   point at another row; page up and down, home, end
  enter            show all that is known of it; esc goes back
  s, S             sort by the next column, or the one before
  r                sort the other way round
  /                show only rows with that text; esc shows all again
  space, p         stop the picture, and let it go on
  h, ?             this
  q, ctrl-c        end

OUT/S, IN/S  messages a second that a Ksock sends, and that come into its queue
QUEUE        messages that wait for it to read them, and how many may
MISSED       that it did not get because its queue was full; red: just now
OWES         Requests that it has to answer, OLDEST for how long
REACHED/S    copies a second that were queued; SKIPPED: a queue was full
ANSWER       how long a Request of that name waits for its Reply on average`, "\n")
}
