package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// measure runs one row: a warm-up, then the timed part.
func (b *bench) measure(name string) (Result, error) {
	if name == watchRow {
		return b.measureWatch()
	}
	row, known := rows[name]
	if !known {
		return Result{}, fmt.Errorf("no row %q", name)
	}
	if row.workers == 0 {
		row.workers = b.workers
	}
	workers := make([]*worker, row.workers)
	for index := range workers {
		workers[index] = &worker{bench: b, number: index, row: row, do: b.sender(), n: salt()}
	}
	drive(workers, b.warmup, 1)
	timing, err := b.begin()
	if err != nil {
		return Result{}, err
	}
	for _, each := range workers {
		each.tally = tally{}
	}
	drive(workers, b.seconds, 1)
	result, err := timing.end(name)
	if err != nil {
		return Result{}, err
	}
	var all tally
	for _, each := range workers {
		all.add(each.tally)
	}
	all.into(&result)
	if row.after != nil {
		err = row.after(b)
	}
	return result, err
}

func (b *bench) sender() func(call) (int64, error) {
	client := b.client()
	return func(c call) (int64, error) { return b.send(client, c, io.Discard) }
}

// worker makes one request after the other.
type worker struct {
	bench  *bench
	number int
	row    row
	do     func(call) (int64, error)
	n      int
	tally  tally
}

// drive lets all run for a time, and each finish what it has begun; at least so many requests.
func drive(workers []*worker, length time.Duration, least int) {
	var group sync.WaitGroup
	end := time.Now().Add(length)
	for _, each := range workers {
		group.Go(func() {
			for made := 0; made < least || time.Now().Before(end); made++ {
				each.once()
			}
		})
	}
	group.Wait()
}

func (w *worker) once() {
	made := w.row.call(w.bench, w.number, w.n)
	w.n++
	begin := time.Now()
	size, err := w.do(made)
	w.tally.note(time.Since(begin), size, err)
}

// tally is what came of requests.
type tally struct {
	latencies []time.Duration
	bytes     int64
	errors    int
	example   string
}

func (t *tally) note(latency time.Duration, size int64, err error) {
	if err != nil {
		t.errors++
		t.example = err.Error()
		return
	}
	t.latencies = append(t.latencies, latency)
	t.bytes += size
}

func (t *tally) add(other tally) {
	t.latencies = append(t.latencies, other.latencies...)
	t.bytes += other.bytes
	t.errors += other.errors
	if other.example != "" {
		t.example = other.example
	}
}

func (t *tally) into(result *Result) {
	slices.Sort(t.latencies)
	result.Operations = len(t.latencies)
	result.Errors, result.Example, result.Bytes = t.errors, t.example, t.bytes
	result.P50, result.P99 = t.quantile(0.5), t.quantile(0.99)
}

// quantile of the sorted latencies, in milliseconds.
func (t *tally) quantile(share float64) float64 {
	if len(t.latencies) == 0 {
		return 0
	}
	at := int(share * float64(len(t.latencies)-1))
	return float64(t.latencies[at]) / float64(time.Millisecond)
}

// timing is the begin of the timed part.
type timing struct {
	bench *bench
	at    time.Time
	cpu   float64
}

func (b *bench) begin() (timing, error) {
	cpu, err := cpuSeconds(b.pids)
	return timing{b, time.Now(), cpu}, err
}

func (t timing) end(name string) (Result, error) {
	seconds := time.Since(t.at).Seconds()
	cpu, err := cpuSeconds(t.bench.pids)
	protocol := "HTTP/1.1"
	if t.bench.http2 {
		protocol = "HTTP/2"
	}
	return Result{Row: name, Protocol: protocol, Seconds: seconds, CPUSeconds: cpu - t.cpu}, err
}
