#!/bin/sh
# go-redis 9.23.0 and ioredis 6.0.0 (npm), with Redis 7.0.15: one command is carried out four times, or twice.
#
# Guess, written down before the first run: a command whose answer does not come fails, and was carried out once or not at all.
# Seen: go-redis sends a command again whose answer did not come in time, up to three times, also XADD and PUBLISH. A server that was
# busy for longer carries out each: the call has failed, four entries are in the stream, and a subscriber hears four messages. (Each
# try needs a connection that is open already: a program that never did two things at once has one, and then it is one entry.)
# ioredis sends a command again whose answer was lost with the connection: the call succeeds, and two entries are in the stream.
# redis (npm) 6.3.1 sends once, and the call fails.
#
# For a bridge to Redis: set MaxRetries to -1 (go-redis) or maxRetriesPerRequest to 0 (ioredis): a command is sent once, and fails. Or
# put a number into each entry, by which a reader knows it again. On KBUS no Request is sent twice.
#
# Needs Go, Node.js, npm and apt-get. Listens on loopback and a Unix socket only.
. "$(dirname "$0")/begin.sh"
npm_packages ioredis@6.0.0 redis@6.3.1
debian_packages redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 liblzf1=3.6-3 libjemalloc2=5.3.0-1 libatomic1=12.2.0-14+deb12u1
go_program github.com/redis/go-redis/v9@v9.23.0 <<'E'
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Keeps the server busy for four seconds, which is less than Redis calls too long
const busy = `local function now() local t = redis.call("TIME") return t[1] * 1000 + t[2] / 1000 end
local over = now() + 4000
while now() < over do end`

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func none(err error) {
	if err != redis.Nil {
		panic(err)
	}
}

func main() {
	ctx := context.Background()
	connect := func(limit time.Duration, retries int) *redis.Client {
		return redis.NewClient(&redis.Options{Network: "unix", Addr: os.Args[1], ReadTimeout: limit, MaxRetries: retries})
	}
	other := connect(20*time.Second, 0)
	news := other.Subscribe(ctx, "news")
	_, err := news.Receive(ctx)
	check(err)
	run := func(connections, retries int, command func(c *redis.Client) error) {
		// A program that has been working, and so has connections: as many as things that it did at once
		c := connect(400*time.Millisecond, retries)
		var all sync.WaitGroup
		for range connections {
			all.Go(func() { none(c.BLPop(ctx, time.Second, "nothing").Err()) })
		}
		all.Wait()
		done := make(chan error)
		go func() { done <- other.Eval(ctx, busy, nil).Err() }()
		time.Sleep(200 * time.Millisecond)
		fmt.Print(" failed: ", command(c) != nil)
		none(<-done)
		// Until the server has done what waited meanwhile
		time.Sleep(time.Second)
	}
	add := func(c *redis.Client) error {
		return c.XAdd(ctx, &redis.XAddArgs{Stream: "door", Values: []string{"do", "open"}}).Err()
	}
	entries := func() int64 {
		n, err := other.XLen(ctx, "door").Result()
		check(err)
		check(other.Del(ctx, "door").Err())
		return n
	}
	fmt.Print("go-redis, XADD:")
	run(8, 0, add)
	fmt.Println(", entries:", entries())
	fmt.Print("go-redis, one connection, XADD:")
	run(1, 0, add)
	fmt.Println(", entries:", entries())
	fmt.Print("go-redis, PUBLISH:")
	run(8, 0, func(c *redis.Client) error { return c.Publish(ctx, "news", "x").Err() })
	heard := 0
	for ; ; heard++ {
		if _, err := news.ReceiveTimeout(ctx, time.Second); err != nil {
			break
		}
	}
	fmt.Println(", heard:", heard)
	fmt.Print("go-redis, MaxRetries -1, XADD:")
	run(8, -1, add)
	fmt.Println(", entries:", entries())
}
E
cat >main.js <<'E'
const Redis = require('ioredis'), { createClient } = require('redis'), net = require('net'), path = process.argv[2]
// The way to the server, which is lost before the next answer has come through
let lose = false
const way = net.createServer(near => {
  const far = net.connect(path)
  near.pipe(far)
  far.on('data', answer => {
    if (!lose) return near.write(answer)
    lose = false
    near.destroy()
  })
  for (const [a, b] of [[near, far], [far, near]]) a.on('error', () => {}).on('close', () => b.destroy())
})
const main = async () => {
  const port = way.address().port, other = new Redis(path)
  const run = async (what, add) => {
    lose = true
    const ended = await add().then(() => 'succeeded', () => 'failed')
    // Until the client is back
    await new Promise(done => setTimeout(done, 1000))
    console.log(`${what}, XADD: ${ended}, entries: ${await other.xlen('door')}`)
    await other.del('door')
  }
  for (const option of [{}, { maxRetriesPerRequest: 0 }]) {
    const c = new Redis({ host: '127.0.0.1', port, ...option }).on('error', () => {})
    await c.ping()
    await run(['ioredis', ...Object.entries(option).flat()].join(' '), () => c.xadd('door', '*', 'do', 'open'))
  }
  const c = createClient({ url: `redis://127.0.0.1:${port}` }).on('error', () => {})
  await c.connect()
  await run('redis', () => c.xAdd('door', '*', { do: 'open' }))
  process.exit()
}
way.listen(0, '127.0.0.1', main)
E
redis-server --port 0 --unixsocket "$dir/redis" --save "" >server 2>&1 & pids=$!
until_said server "The server is now ready"
timeout 120 ./run "$dir/redis" >seen
timeout 60 node main.js "$dir/redis" >>seen
as_found <<'E'
go-redis, XADD: failed: true, entries: 4
go-redis, one connection, XADD: failed: true, entries: 1
go-redis, PUBLISH: failed: true, heard: 4
go-redis, MaxRetries -1, XADD: failed: true, entries: 1
ioredis, XADD: succeeded, entries: 2
ioredis maxRetriesPerRequest 0, XADD: failed, entries: 1
redis, XADD: failed, entries: 1
E
