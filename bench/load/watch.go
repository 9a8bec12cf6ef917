package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	watchRow    = "watch"
	watchBuffer = 16 << 10
	patience    = 30 * time.Second
)

// fan is many watches of the same pods. A change is delivered when its line has arrived, whole, at
// every watcher; only then the next one is made, so each latency is that of one change.
type fan struct {
	mutex     sync.Mutex
	latencies []time.Duration
	changed   atomic.Int64 // when the change under way was asked for, in nanoseconds
	waiting   atomic.Int64 // watchers that have not got it
	delivered chan struct{}
	bytes     atomic.Int64
	broken    atomic.Int64
}

// measureWatch counts deliveries: one operation is one event at one watcher, and the write that
// caused it is part of the cost.
func (b *bench) measureWatch() (Result, error) {
	fan := &fan{delivered: make(chan struct{}, 1)}
	if err := b.subscribe(fan); err != nil {
		return Result{}, err
	}
	writer := b.client()
	n := salt() * fanPods
	write := func(length time.Duration) error {
		for end := time.Now().Add(length); time.Now().Before(end); n++ {
			if err := b.change(fan, writer, n); err != nil {
				return err
			}
		}
		return nil
	}
	if err := write(b.warmup); err != nil {
		return Result{}, err
	}
	timing, err := b.begin()
	if err != nil {
		return Result{}, err
	}
	fan.latencies = fan.latencies[:0]
	fan.bytes.Store(0)
	if err := write(b.seconds); err != nil {
		return Result{}, err
	}
	result, err := timing.end(watchRow)
	fan.mutex.Lock()
	defer fan.mutex.Unlock()
	all := tally{latencies: fan.latencies, bytes: fan.bytes.Load(), errors: int(fan.broken.Load())}
	all.into(&result)
	return result, err
}

// change patches a pod's status and waits until every watcher knows.
func (b *bench) change(fan *fan, writer *http.Client, n int) error {
	fan.waiting.Store(int64(b.watchers))
	fan.changed.Store(time.Now().UnixNano())
	if _, err := b.do(writer, patchStatus(fanNamespace, podName(n%fanPods), n/fanPods)); err != nil {
		return err
	}
	select {
	case <-fan.delivered:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%d watchers have not got a change after %s", fan.waiting.Load(), patience)
	}
}

// subscribe opens all watches and returns when each has got its answer's head.
func (b *bench) subscribe(fan *fan) error {
	path := "/api/v1/namespaces/" + fanNamespace + "/pods"
	listed, err := b.do(b.client(), call{method: "GET", path: path + "?limit=1"})
	if err != nil {
		return err
	}
	var list struct {
		Metadata struct{ ResourceVersion string }
	}
	if err := json.Unmarshal(listed, &list); err != nil {
		return err
	}
	path += "?watch=true&allowWatchBookmarks=false&timeoutSeconds=3600&resourceVersion=" + list.Metadata.ResourceVersion
	shared := b.client()
	limit := make(chan struct{}, 32)
	failed := make(chan error, b.watchers)
	for range b.watchers {
		limit <- struct{}{}
		go func() {
			defer func() { <-limit }()
			client := shared // HTTP/2: streams of as many connections as the server allows
			if !b.http2 {
				client = b.client()
			}
			failed <- b.open(fan, client, path)
		}()
	}
	for range b.watchers {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) open(fan *fan, client *http.Client, path string) error {
	request, err := b.request(call{method: "GET", path: path})
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("watch: %s", response.Status)
	}
	go fan.read(response.Body)
	return nil
}

// read counts lines: an event in JSON is one.
func (f *fan) read(body io.Reader) {
	buffer := make([]byte, watchBuffer)
	for {
		size, err := body.Read(buffer)
		now := time.Now().UnixNano()
		f.bytes.Add(int64(size))
		for range bytes.Count(buffer[:size], []byte{'\n'}) {
			f.arrived(time.Duration(now - f.changed.Load()))
		}
		if err != nil {
			f.broken.Add(1)
			return
		}
	}
}

func (f *fan) arrived(latency time.Duration) {
	f.mutex.Lock()
	f.latencies = append(f.latencies, latency)
	f.mutex.Unlock()
	if f.waiting.Add(-1) == 0 {
		f.delivered <- struct{}{}
	}
}
