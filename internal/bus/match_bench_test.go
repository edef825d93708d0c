package bus

import (
	"fmt"
	"testing"

	"kbus.example/kbus/message"
)

// BenchmarkMatch finds who gets a message among bindings that are mostly somebody else's: by the tables of this package,
// and for comparison by trying each binding in turn.
func BenchmarkMatch(b *testing.B) {
	const name = "$.Sensor.Temperature.Outside"
	for _, pattern := range []string{"$.Other.B%d.Name", "$.Other.B%d.%%", "$.Other.B%d.*"} {
		for _, others := range []int{1, 10, 100, 1000, 10000} {
			var table bindings
			var list []*binding
			table.init()
			k := &Ksock{}
			add := func(text string) {
				n := &binding{ksock: k, name: text}
				table.add(n)
				list = append(list, n)
			}
			for i := range others {
				add(fmt.Sprintf(pattern, i))
			}
			add("$.Sensor.*")
			b.Run(fmt.Sprintf("table/%s/%d", pattern[len(pattern)-1:], others), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if found, _ := table.match([]byte(name)); len(found) != 1 {
						b.Fatal(len(found))
					}
				}
			})
			b.Run(fmt.Sprintf("list/%s/%d", pattern[len(pattern)-1:], others), func(b *testing.B) {
				for b.Loop() {
					found := 0
					for _, n := range list {
						if message.Matches(n.name, name) {
							found++
						}
					}
					if found != 1 {
						b.Fatal(found)
					}
				}
			})
		}
	}
}
