package message

import (
	"testing"

	"pgregory.net/rapid"
)

// A ReplayWindow is compared with a set that forgets nothing, from a start that makes the numbers wrap around.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w ReplayWindow
		seen := map[uint32]bool{}
		start := uint32(rapid.SampledFrom([]int64{0, 1, 1<<32 - 5000, 1<<31 - 100}).Draw(t, "start"))
		n, top := int64(20_000), int64(-1)
		for range rapid.IntRange(1, 300).Draw(t, "count") {
			n += rapid.SampledFrom([]int64{1, 1, 1, 2, 63, 64, 65, -1, -2, -64, -4095, -4096, -4097, 4095, 4096,
				4097}).Draw(t, "step")
			n = max(n, 0)
			serial := start + uint32(n)
			want := Fresh
			switch {
			case top >= 0 && n <= top-ReplayWindowSize:
				want = Old
			case seen[serial]:
				want = Seen
			}
			if got := w.Look(serial); got != want {
				t.Fatalf("looking %d below the top %d: %d, want %d", n, top, got, want)
			}
			if got := w.See(serial); got != want {
				t.Fatalf("%d below the top %d: %d, want %d", n, top, got, want)
			}
			if want == Fresh {
				seen[serial], top = true, max(top, n)
			}
		}
	})
}
