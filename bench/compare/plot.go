package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"
)

// The plot is bars: one panel for each column that matters, one bar for each peer, with a line from the least to the
// most that any round had. Every panel has a scale of its own that begins at 0, so lengths in a panel can be compared.

const (
	panelWidth  = 430
	labelWidth  = 150 // of the peers' names
	valueWidth  = 70  // of the figures behind the bars
	barHeight   = 14
	barStep     = 19
	headHeight  = 30
	panelGap    = 24
	plotMargin  = 16
	panelsInRow = 2
)

const plotStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.other { fill: #9aa4b0 } .limit { fill: #d5dae0 } .ours { fill: #0969da }
.spread { stroke: #57606a; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .other { fill: #6e7681 } .limit { fill: #3d444d } .ours { fill: #4493f8 }
  .spread { stroke: #c9d1d9 }
}
</style>
`

type panel struct {
	title string
	mode  string
	column
}

func panels() (list []panel) {
	for _, c := range roundTripColumns(column{"", test{}, median}) {
		title := "Round trip, " + strings.TrimSpace(c.title) + ", one processor: µs, less is better"
		list = append(list, panel{title, "pinned", c})
	}
	for _, c := range throughputColumns() {
		list = append(list, panel{"Throughput, " + c.title + ": 1000/s, more is better", "unpinned", c})
	}
	return list
}

func plot(fs *figures) []byte {
	var b bytes.Buffer
	rows := fs.measured()
	list := panels()
	height := headHeight + len(rows)*barStep + panelGap
	lines := (len(list) + panelsInRow - 1) / panelsInRow
	width, total := 2*plotMargin+panelsInRow*panelWidth+(panelsInRow-1)*panelGap, 2*plotMargin+lines*height-panelGap
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" `, width, total)
	fmt.Fprintf(&b, `role="img" aria-label="KBUS and other buses">`+"\n%s", plotStyle)
	for i, p := range list {
		x := plotMargin + i%panelsInRow*(panelWidth+panelGap)
		y := plotMargin + i/panelsInRow*height
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", x, y)
		fs.panel(&b, p, rows)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (fs *figures) panel(b *bytes.Buffer, p panel, rows []*peer) {
	fmt.Fprintf(b, `<text class="title" y="12">%s</text>`+"\n", html.EscapeString(p.title))
	most := 0.0
	for _, r := range rows {
		if s := fs.of(p.mode, r.name, p.test, p.value); s.rounds > 0 && !r.limits() {
			most = max(most, s.most)
		}
	}
	if most == 0 {
		return
	}
	width := float64(panelWidth - labelWidth - valueWidth)
	scale := func(v float64) float64 { return labelWidth + width*math.Min(v/most, 1) }
	for i, r := range rows {
		y := headHeight + i*barStep
		words, middle := y+11, y+barHeight/2
		name := html.EscapeString(plain(r.title))
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelWidth-6, words, name)
		if s := fs.of(p.mode, r.name, p.test, p.value); s.rounds > 0 {
			from, at, to := scale(s.least), scale(s.median), scale(s.most)
			fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>`,
				kind(r), labelWidth, y, at-labelWidth, barHeight)
			fmt.Fprintf(b, `<line class="spread" x1="%.1f" x2="%.1f" y1="%d" y2="%[3]d"/>`, from, to, middle)
			beyond := ""
			if s.median > most {
				beyond = "→ "
			}
			fmt.Fprintf(b, `<text x="%.1f" y="%d">%s%s</text>`, to+5, words, beyond, short(s.median))
		}
		b.WriteString("\n")
	}
}

// kind is the class of a bar. A limit may be longer than its panel: it would make all others too short to tell apart.
func kind(p *peer) string {
	switch {
	case p.ours():
		return "ours"
	case p.limits():
		return "limit"
	}
	return "other"
}

// plain is a title without the marks of the table.
func plain(title string) string {
	return strings.TrimPrefix(strings.ReplaceAll(title, "*", ""), "limit: ")
}
