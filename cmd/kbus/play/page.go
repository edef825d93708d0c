package play

import (
	"encoding/json"
	"fmt"
	"io"

	"kbus.example/kbus/cmd/kbus/stage"
)

// A page is where the play is written down as it happens: see Form.
type page interface {
	title(*stage.Stage, company, *limpets)
	scene(number int, s *scene)
	direction(p *part, text string)
	says(p *part, line string)
	curtain()
	err() error // the first error of writing
}

func newPage(o Options, p *piece) page {
	out := &writer{to: o.Out}
	switch o.Form {
	case Transcript:
		return &transcript{writer: out}
	case JSON:
		return &jsonLines{transcript{writer: out}}
	}
	return newShow(out, o, p)
}

// transcript is what the actors print, behind their names.
type transcript struct {
	*writer
	number int
}

func (t *transcript) title(*stage.Stage, company, *limpets) {}
func (t *transcript) scene(n int, _ *scene)                 { t.number = n }
func (t *transcript) direction(*part, string)               {}
func (t *transcript) says(p *part, line string)             { t.printf("%s: %s\n", p.name, line) }
func (t *transcript) curtain()                              {}

type jsonLines struct{ transcript }

func (j *jsonLines) says(p *part, line string) {
	e := json.NewEncoder(j)
	e.SetEscapeHTML(false)
	_ = e.Encode(struct { // the writer keeps the error
		Scene int    `json:"scene"`
		Actor string `json:"actor"`
		Says  string `json:"says"`
	}{j.number, p.name, line})
}

// writer keeps its first error, and writes nothing after it.
type writer struct {
	to     io.Writer
	failed error
}

func (w *writer) Write(b []byte) (int, error) {
	if w.failed != nil {
		return 0, w.failed
	}
	n, err := w.to.Write(b)
	w.failed = err
	return n, err
}

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(w, format, args...) }
func (w *writer) err() error                        { return w.failed }
