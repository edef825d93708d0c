package play

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"kbus.example/kbus/cmd/kbus/stage"
)

// The show is the play as a person sees it. Each actor has a colour, and a name that stands where the speaker
// changes. What actors do is in brackets and dim, what they print is in their colour. Captions are folded to a
// comfortable width, and what the actors print to that of the terminal, so no word is broken unless it must be.
type show struct {
	*writer
	piece   *piece
	colour  bool
	columns int // 0: do not fold
	on      *part
}

const (
	captionColumns = 78
	nameColumns    = 12
	gutterColumns  = nameColumns + 5

	bold   = "1"
	dim    = "2"
	italic = "2;3"
)

func newShow(w *writer, o Options, p *piece) *show {
	return &show{writer: w, piece: p, colour: o.Colour, columns: o.Columns}
}

func (s *show) paint(code, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s *show) title(st *stage.Stage, c company, l *limpets) {
	s.printf("\n  %s\n\n", s.paint(bold, s.piece.title))
	for _, p := range s.piece.cast {
		s.printf("  %s%s %s\n", s.paint(p.colour+";1", pad(p.name)), p.about,
			s.paint(dim, fmt.Sprintf("(process %d)", c[p].run.Process.Pid)))
	}
	s.printf("  %s%s %s\n", pad("kbusd"), "the stage", s.paint(dim, fmt.Sprintf("(process %d, in %s)", st.PID, st.Dir)))
	if l != nil {
		s.printf("  %s%s %s\n", pad("kbus-limpet"), "one on each bus, joined",
			s.paint(dim, fmt.Sprintf("(processes %d and %d)", l.ends[0].Process.Pid, l.ends[1].Process.Pid)))
	}
	s.paragraphs(s.piece.opening)
}

func (s *show) scene(number int, sc *scene) {
	head := fmt.Sprintf("Scene %d. %s ", number, sc.title)
	s.printf("\n%s %s%s\n", s.paint(dim, "──"), s.paint(bold, head),
		s.paint(dim, strings.Repeat("─", max(0, captionColumns-3-utf8.RuneCountInString(head)))))
	s.paragraphs(sc.caption)
	s.printf("\n")
	s.on = nil
}

func (s *show) paragraphs(text string) {
	columns := captionColumns
	if s.columns > 0 {
		columns = min(columns, s.columns)
	}
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		s.printf("\n")
		for _, line := range fold(paragraph, columns-2, "") {
			s.printf("  %s\n", line)
		}
	}
}

func (s *show) direction(p *part, text string) { s.line(p, italic, "("+text+")") }
func (s *show) says(p *part, line string)      { s.line(p, p.colour, line) }

// line writes one thing behind the bar, in as many lines as it takes.
func (s *show) line(p *part, code, text string) {
	lines := []string{text}
	if s.columns > gutterColumns+20 {
		lines = fold(text, s.columns-gutterColumns, "  ")
	}
	for _, line := range lines {
		name := ""
		if s.on != p {
			name, s.on = p.name, p
		}
		s.printf("  %s%s %s\n", s.paint(p.colour+";1", pad(name)), s.paint(p.colour, "│"), s.paint(code, line))
	}
}

func (s *show) curtain() {
	s.printf("\n%s\n", s.paint(dim, strings.Repeat("─", captionColumns)))
	s.paragraphs(s.piece.curtain)
	s.printf("\n")
}

func pad(name string) string { return name + strings.Repeat(" ", max(0, nameColumns+1-len(name))) }
