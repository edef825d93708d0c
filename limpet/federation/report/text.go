package report

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"kbus.example/kbus/internal/plain"
)

// A Status as text, all of it or in parts. What other members report of themselves may be anything, and is made harmless: it
// goes to a terminal.

// Print writes all of it.
func (s *Status) Print(out io.Writer) error {
	server := "none"
	if s.Server != "" {
		server = plain.Text(s.Server)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, s.Summary())
	fmt.Fprintf(w, "epoch %d, lease for %.1f s more, NATS server %s\n", s.Epoch, s.LeaseLeft, server)
	if s.Policy == Ordered {
		s.printOrdered(w)
		return w.Flush()
	}
	fmt.Fprintf(w, "names: %d in the directory, %d of them held here\n", s.Names, s.Own)
	fmt.Fprintf(w, "messages: %d announced, %d heard, %d copies dropped, %d not taken by this bus\n",
		s.Announced, s.Received, s.Copies, s.Undelivered)
	fmt.Fprintln(w, s.Lag())
	fmt.Fprintf(w, "Requests: %d passed on, %d Replies, %d Statuses, %d outstanding; %d of others are kept here\n\n",
		s.Requests, s.Replies, s.Statuses, s.Outstanding, s.Working)
	fmt.Fprintln(w, PeersHeading)
	s.WritePeers(w)
	return w.Flush()
}

func (s *Status) printOrdered(w io.Writer) {
	fmt.Fprintf(w, "messages: %d of this bowl ordered, %d delivered, %d copies dropped, %d not taken by the outlet\n",
		s.Announced, s.Received, s.Copies, s.Undelivered)
	fmt.Fprintf(w, "%s; %d entries lost\n\n", s.Lag(), s.LostEntries)
	fmt.Fprintln(w, PeersHeading)
	s.WritePeers(w)
}

// Summary is one line: which member it is, and how it stands.
func (s *Status) Summary() string {
	state := "in touch with the quorum"
	if !s.InTouch {
		state = "WITHOUT QUORUM"
	}
	return fmt.Sprintf("bowl %d of federation %s (%s), %s, up %v", s.ID, plain.Text(s.Federation), plain.Text(s.Policy),
		state, time.Duration(s.UpSeconds*float64(time.Second)).Round(time.Second))
}

// Lag is one line: what has yet to get through the Limpet.
func (s *Status) Lag() string {
	if s.Policy == Ordered {
		return fmt.Sprintf("lag: %d messages of the inlet to be ordered, %d entries of the stream to be delivered", s.ToPassOn,
			s.ToDeliver)
	}
	return fmt.Sprintf("lag: %d messages of this bus to be passed on, %d of others to be delivered", s.ToPassOn,
		s.ToDeliver)
}

// PeersHeading is that of the table of the other members, with tabs between its cells.
const PeersHeading = "BOWL\tEPOCH\tSTATE\tNAMES\tOUTSTANDING\tANNOUNCED\tLOST\tWHERE"

// WritePeers writes the rows of that table.
func (s *Status) WritePeers(w io.Writer) {
	for _, p := range s.Peers {
		state := "joined"
		if p.Over {
			state = "left"
		}
		fmt.Fprintf(w, "%d\t%d\t%s\t%d\t%d\t%d\t%d\t%s\n", p.ID, p.Epoch, state, p.Names, p.Outstanding, p.Announced,
			p.Lost, plain.Text(p.Where))
	}
}
