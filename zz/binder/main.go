// binder DIR SECONDS: binds and unbinds names at random.
package main

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"sync"
	"time"

	"kbus.example/kbus"
)

func main() {
	ctx := context.Background()
	sec, _ := strconv.Atoi(os.Args[2])
	end := time.Now().Add(time.Duration(sec) * time.Second)
	var wg sync.WaitGroup
	var mu sync.Mutex
	counts := map[string]int{}
	for range 8 {
		wg.Go(func() {
			for time.Now().Before(end) {
				k, err := kbus.Open(ctx, 0, kbus.Dir(os.Args[1]))
				if err != nil { time.Sleep(20 * time.Millisecond); continue }
				for i := 0; i < 20 && time.Now().Before(end); i++ {
					name := fmt.Sprintf("$.N%d", rand.Intn(12))
					c, cancel := context.WithTimeout(ctx, 3*time.Second)
					var err error
					if rand.Intn(3) == 0 { err = k.Unbind(c, name, kbus.Replier) } else { err = k.Bind(c, name, kbus.Replier) }
					cancel()
					t := "ok"
					if err != nil { t = err.Error(); if len(t) > 60 { t = t[len(t)-60:] } }
					mu.Lock(); counts[t]++; mu.Unlock()
					if rand.Intn(4) == 0 { time.Sleep(time.Duration(rand.Intn(10)) * time.Millisecond) }
				}
				k.Close()
			}
		})
	}
	wg.Wait()
	for t, n := range counts { fmt.Println(n, t) }
}
