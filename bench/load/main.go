// Load makes one kind of request to a Kubernetes API server over TLS, as fast as a fixed number of
// workers get answers, and prints what it saw as one line of JSON. The CPU time of the server's
// processes is read at the begin and at the end of the timed part, so nothing else is in it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Result is one measurement.
type Result struct {
	Row        string  `json:"row"`
	Protocol   string  `json:"protocol"`
	Operations int     `json:"operations"`
	Errors     int     `json:"errors"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	Bytes      int64   `json:"bytes"`
	Example    string  `json:"example_error,omitempty"`
}

// Settings are the flags.
type Settings struct {
	server, ca, cert, key string
	http2                 bool
	pids                  []int
	seconds, warmup       time.Duration
	workers               int
	pods, watchers        int
}

func main() {
	settings, what := flags()
	bench, err := newBench(settings)
	if err == nil {
		err = run(bench, what)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func flags() (Settings, string) {
	var s Settings
	protocol := flag.String("http", "1.1", "1.1 or 2")
	pids := flag.String("pids", "", "processes of the server, separated by commas")
	flag.StringVar(&s.server, "server", "", "URL of the API server")
	flag.StringVar(&s.ca, "ca", "", "certificate of its authority")
	flag.StringVar(&s.cert, "cert", "", "client certificate")
	flag.StringVar(&s.key, "key", "", "its key")
	flag.DurationVar(&s.seconds, "seconds", 3*time.Second, "length of the timed part")
	flag.DurationVar(&s.warmup, "warmup", 500*time.Millisecond, "length of what goes before it")
	flag.IntVar(&s.workers, "workers", 8, "requests under way at once, each on its own connection")
	flag.IntVar(&s.pods, "pods", 10000, "size of the data set")
	flag.IntVar(&s.watchers, "watchers", 1000, "watches of the row watch")
	flag.Usage = func() {
		fmt.Fprintf(os.Stderr, "usage: load [flags] admit | seed | clean | %s\n", strings.Join(rowNames(), " | "))
		flag.PrintDefaults()
	}
	flag.Parse()
	s.http2 = *protocol == "2"
	for _, text := range strings.Split(*pids, ",") {
		if pid, err := strconv.Atoi(text); err == nil {
			s.pids = append(s.pids, pid)
		}
	}
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	return s, flag.Arg(0)
}

func run(b *bench, what string) error {
	switch what {
	case "admit":
		return b.admit()
	case "seed":
		return b.seed()
	case "clean":
		return b.clean()
	}
	result, err := b.measure(what)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func rowNames() []string {
	names := []string{watchRow}
	for name := range rows {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
