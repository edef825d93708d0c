#!/bin/sh
# parquet-go 0.32.0: a duration or a date in a file is not the one that was written.
#
# Guess, written down before the first run: its documentation lists time.Duration for columns of the type TIME, in milliseconds,
# microseconds and nanoseconds, and time.Time for DATE. What WriteFile writes is read as it was, by the library itself and by
# hyparquet 1.33.0 (npm); what is finer than the unit is cut off.
# Seen: the number of nanoseconds is written, whatever the unit, and its lower 32 bits where the column has 32, all without an error. 90
# minutes in microseconds are read as 62 days, and in milliseconds as 340 hours, 35 minutes and 8.928 seconds; by the library itself, too,
# since its reading does convert. The first days of 2026 as a DATE lie in the year 5848744. Nanoseconds, timestamps, and counts that one has
# made oneself are right. Releases 0.27.0 and 0.29.0 do the same.
#
# For whoever keeps measurements from a bus in Parquet: count in int32 or int64, or use a timestamp, and read a file back once with another
# library.
#
# Needs Go, Node.js and npm. Opens no socket.
. "$(dirname "$0")/begin.sh"
npm_packages hyparquet@1.33.0
go_program github.com/parquet-go/parquet-go@v0.32.0 <<'E'
package main

import (
	"fmt"
	"time"

	"github.com/parquet-go/parquet-go"
)

type row struct {
	Milli      time.Duration `parquet:"milli,time(millisecond)"`
	Micro      time.Duration `parquet:"micro,time(microsecond)"`
	Nano       time.Duration `parquet:"nano,time(nanosecond)"`
	MilliCount int32         `parquet:"milliCount,time(millisecond)"`
	Day        time.Time     `parquet:"day,date"`
	DayCount   int32         `parquet:"dayCount,date"`
	Moment     time.Time     `parquet:"moment,timestamp(millisecond)"`
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	lasted, day := 90*time.Minute, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	check(parquet.WriteFile("file.parquet", []row{{lasted, lasted, lasted, int32(lasted.Milliseconds()), day, int32(day.Unix() / 86400), day}}))
	rows, err := parquet.ReadFile[row]("file.parquet")
	check(err)
	r := rows[0]
	fmt.Println("Go: milli", r.Milli, "micro", r.Micro, "nano", r.Nano, "milliCount", r.MilliCount, "day", r.Day.Year(), "dayCount", r.DayCount, "moment", r.Moment.Year())
}
E
cat >main.mjs <<'E'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
const [row] = await parquetReadObjects({ file: await asyncBufferFromFile('file.parquet') })
console.log('JavaScript:', ...Object.entries(row).flat().map(v => v instanceof Date ? isNaN(v) ? 'no date' : v.toISOString().slice(0, 10) : String(v)))
E
./run >seen
node main.mjs >>seen
as_found <<'E'
Go: milli 340h35m8.928s micro 1500h0m0s nano 1h30m0s milliCount 5400000 day 5848744 dayCount 20455 moment 2026
JavaScript: milli 1226108928 micro 5400000000000 nano 5400000000000 milliCount 5400000 day no date dayCount 2026-01-02 moment 2026-01-02
E
