package ring

import "kbus.example/kbus/internal/form"

// Code writes a State, or reads one.
func (s *State) Code(c *form.Coder) {
	form.Uint(c, &s.Sizes.UpBytes)
	form.Uint(c, &s.Sizes.DownBytes)
	form.Uint(c, &s.Sizes.WindowBytes)
	form.Uint(c, &s.Sizes.WindowSlots)
	r, w, front := &s.Reader, &s.Writer, &s.Window
	form.Uint(c, &r.Head)
	form.Uint(c, &r.End)
	form.Bool(c, &r.Ended)
	form.Uint(c, &w.Tail)
	form.Uint(c, &w.Head)
	form.Uint(c, &w.Skip)
	form.Bools(c, &w.Begun, &w.Skipped, &w.Long)
	form.Uint(c, &front.Taken)
	form.Uint(c, &front.Freed)
	form.List(c, &front.Slots, codeSlot)
	form.Uint(c, &front.More)
}

func codeSlot(c *form.Coder, s *SlotState) {
	form.Uint(c, &s.At)
	form.Uint(c, &s.Bytes)
}
