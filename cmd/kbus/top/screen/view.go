// Package screen is how `kbus top` looks and which keys do what. A View makes lines of text, of a size that it is told, and
// touches no terminal; Run puts them on one.
package screen

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"kbus.example/kbus/internal/top"
)

// Paint paints a text by an SGR code, or leaves it as it is.
type Paint func(code, text string) string

const (
	bold       = "1"
	dim        = "2"
	underlined = "4"
	red        = "31"
	yellow     = "33"
)

// View is what a person has chosen to see.
type View struct {
	paint         Paint
	width, height int
	ksocks        table[top.Ksock]
	names         table[top.Name]
	onNames       bool // the keys are for the names
	opened        opened
	helps         bool
	filter        string
	typing        bool // the filter
	paused        bool
	shown         *top.Picture
}

// opened is whether the row that is pointed at is shown alone, and how many lines of it are above the screen.
type opened struct {
	is    bool
	above int
}

// NewView is one that has nothing to show yet, on a terminal of the usual size.
func NewView(paint Paint) *View {
	return &View{
		paint: paint, width: 80, height: 24, shown: &top.Picture{},
		ksocks: table[top.Ksock]{columns: ksockColumns, key: func(k *top.Ksock) string { return fmt.Sprint(k.Ksock) }, by: 3},
		names:  table[top.Name]{columns: nameColumns, key: func(n *top.Name) string { return n.Name }, by: 1},
	}
}

// Resize says how large the terminal is.
func (v *View) Resize(width, height int) { v.width, v.height = max(1, width), max(1, height) }

// Show takes a new picture, unless a person looks at the one before.
func (v *View) Show(p *top.Picture) {
	if !v.paused {
		v.shown = p
	}
}

// Key does what a key is for, and reports whether that is to end. Keys have the names that bubbletea gives them.
func (v *View) Key(key string) (quit bool) {
	switch {
	case key == "ctrl+c":
		return true
	case v.typing:
		v.typed(key)
	case v.helps:
		v.helps = false
	case key == "q":
		return true
	case key == "h", key == "?":
		v.helps = true
	case key == "space", key == " ", key == "p":
		v.paused = !v.paused
	case key == "esc", key == "backspace":
		if !v.opened.is {
			v.filter = ""
		}
		v.opened = opened{}
	case key == "enter":
		v.open()
	case !v.opened.is:
		v.table(key)
	default:
		v.opened.above = max(0, v.opened.above+v.steps(key))
	}
	return false
}

// steps is how many lines a key goes down.
func (v *View) steps(key string) int {
	switch key {
	case "up", "k":
		return -1
	case "down", "j":
		return 1
	case "pgup":
		return -v.height / 2
	case "pgdown":
		return v.height / 2
	case "home", "g":
		return -1 << 30
	case "end", "G":
		return 1 << 30
	}
	return 0
}

// table is for the keys of a table.
func (v *View) table(key string) {
	switch key {
	case "/":
		v.typing, v.filter = true, ""
	case "tab":
		v.onNames = !v.onNames
	case "s":
		v.sort(1)
	case "S":
		v.sort(-1)
	case "r":
		if v.onNames {
			v.names.reversed = !v.names.reversed
		} else {
			v.ksocks.reversed = !v.ksocks.reversed
		}
	default:
		if by := v.steps(key); by != 0 {
			v.move(by)
		}
	}
}

func (v *View) typed(key string) {
	switch {
	case key == "enter":
		v.typing = false
	case key == "esc":
		v.typing, v.filter = false, ""
	case key == "backspace":
		if r := []rune(v.filter); len(r) > 0 {
			v.filter = string(r[:len(r)-1])
		}
	case key == "space":
		v.filter += " "
	case len([]rune(key)) == 1:
		v.filter += key
	}
}

func (v *View) sort(by int) {
	if v.onNames {
		v.names.sortNext(by)
	} else {
		v.ksocks.sortNext(by)
	}
}

func (v *View) move(by int) {
	if v.onNames {
		v.names.move(v.names.rows(v.shown.Names, v.filter), by)
	} else {
		v.ksocks.move(v.ksocks.rows(v.shown.Ksocks, v.filter), by)
	}
}

// open shows a row alone: that which is pointed at, and goes on to be.
func (v *View) open() {
	v.move(0)
	v.opened.is = v.onNames && len(v.shown.Names) > 0 || !v.onNames && len(v.shown.Ksocks) > 0
}

// Lines are what the terminal shows, at most as many as it has.
func (v *View) Lines() []string {
	var body []string
	room := max(0, v.height-2)
	switch {
	case v.helps:
		body = help()
	case v.opened.is:
		body = v.details()
		v.opened.above = min(v.opened.above, max(0, len(body)-room))
		body = body[v.opened.above:]
	default:
		body = v.tables(room)
	}
	lines := append([]string{v.title()}, body[:min(len(body), room)]...)
	for len(lines) < v.height-1 {
		lines = append(lines, "")
	}
	lines = append(lines, v.footer(len(body)-room))[:min(v.height, len(lines)+1)]
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], v.width, "")
	}
	return lines
}

func (v *View) tables(room int) []string {
	ksocks, names := v.ksocks.rows(v.shown.Ksocks, v.filter), v.names.rows(v.shown.Names, v.filter)
	forKsocks, forNames := share(room, len(ksocks)+1, len(names)+1)
	if room < 4 { // one of the two is all that fits
		if v.onNames {
			forKsocks, forNames = 0, room
		} else {
			forKsocks, forNames = room, 0
		}
	}
	var lines []string
	if forKsocks > 0 {
		lines = append(lines, v.ksocks.lines(ksocks, v.width, forKsocks, !v.onNames, v.paint)...)
	}
	if forNames > 0 {
		lines = append(lines, v.names.lines(names, v.width, forNames, v.onNames, v.paint)...)
	}
	return lines
}

// share gives each of two as much of the room as it wants, or half of it, or what the other leaves.
func share(room, a, b int) (forA, forB int) {
	forA = min(a, max(room/2, room-b))
	return forA, min(b, room-forA)
}

func (v *View) title() string {
	p := v.shown
	rate := 0.0
	for i := range p.Names {
		rate += p.Names[i].Rate.Messages
	}
	parts := []string{
		v.paint(bold, "kbus top"), fmt.Sprintf("bus %d", p.Bus), p.Time.Format("15:04:05"),
		fmt.Sprintf("%d Ksocks", len(p.Ksocks)), Amount(rate) + " messages/s",
	}
	if p.Lost > 0 {
		parts = append(parts, v.paint(red, Amount(float64(p.Lost))+" not seen"))
	}
	if v.filter != "" && !v.typing {
		parts = append(parts, "only "+v.filter)
	}
	if v.paused {
		parts = append(parts, v.paint(yellow, "PAUSED"))
	}
	return strings.Join(parts, "  ")
}

// footer tells the keys, and how many lines are below the screen.
func (v *View) footer(below int) string {
	switch {
	case v.typing:
		return "only rows with: " + v.filter + "_"
	case v.helps:
		return v.paint(dim, "any key goes back")
	case v.opened.is && below > 0:
		return v.paint(dim, fmt.Sprintf("esc back  up/down %d lines more  space pause  q quit", below))
	case v.opened.is:
		return v.paint(dim, "esc back  space pause  q quit")
	}
	return v.paint(dim, "tab table  up/down row  enter open  s sort  / filter  space pause  ? keys  q end")
}
