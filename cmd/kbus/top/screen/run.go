package screen

import (
	"context"
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"kbus.example/kbus/internal/top"
)

// Run shows pictures on the terminal of this process until a person ends it or ctx does, which is no error, or there are no
// more pictures: then it gives what next gave. next waits for the next picture.
func Run(ctx context.Context, paint Paint, next func(context.Context) (*top.Picture, error)) error {
	ctx, done := context.WithCancel(ctx)
	defer done()
	p := tea.NewProgram(program{view: NewView(paint)}, tea.WithContext(ctx))
	failed := make(chan error, 1)
	go func() {
		for {
			picture, err := next(ctx)
			if err != nil {
				failed <- err
				p.Quit()
				return
			}
			p.Send(picture)
		}
	}()
	_, err := p.Run()
	if ctx.Err() != nil {
		return nil
	}
	select {
	case why := <-failed: // it has ended for that
		return why
	default:
	}
	done()
	<-failed
	if errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

// program is a View as bubbletea wants it.
type program struct{ view *View }

func (p program) Init() tea.Cmd { return nil }

func (p program) Update(m tea.Msg) (tea.Model, tea.Cmd) {
	switch m := m.(type) {
	case tea.WindowSizeMsg:
		p.view.Resize(m.Width, m.Height)
	case *top.Picture:
		p.view.Show(m)
	case tea.KeyPressMsg:
		if p.view.Key(m.String()) {
			return p, tea.Quit
		}
	}
	return p, nil
}

func (p program) View() tea.View {
	v := tea.NewView(strings.Join(p.view.Lines(), "\n"))
	v.AltScreen = true
	return v
}
