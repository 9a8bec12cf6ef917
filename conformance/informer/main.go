// Command informer is client-go's side of `make check-informer`. It creates ConfigMaps, follows them with
// shared informers, and writes known changes while somebody else kills and restarts the API server. When its
// standard input ends it stops writing, lets the informers catch up and judges what each of them was told.
// The exit status is 0 when every informer was told every change once, in order, and its cache is right.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/transport"
)

const (
	namespace = "check-informer"
	byWriter  = "writer" // label of each object and name of the index by it
	sequence  = "seq"    // key of the data: how many changes the object has seen
	protobuf  = "application/vnd.kubernetes.protobuf"
)

// Settings are the flags.
type Settings struct {
	kubeconfig                  string
	objects, writers, informers int
	rate                        int
	relist                      bool
	patience                    time.Duration
}

func main() {
	var s Settings
	flag.StringVar(&s.kubeconfig, "kubeconfig", "", "how to reach the API server")
	flag.IntVar(&s.objects, "objects", 10000, "how many ConfigMaps")
	flag.IntVar(&s.writers, "writers", 8, "how many write at once")
	flag.IntVar(&s.informers, "informers", 5, "how many follow; every other one in protobuf")
	flag.IntVar(&s.rate, "rate", 200, "changes a second at most")
	flag.BoolVar(&s.relist, "relist", false, "informers may list again, and miss states in between")
	flag.DurationVar(&s.patience, "patience", 90*time.Second, "how long informers may take to catch up")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Println("WRONG", err)
		os.Exit(1)
	}
}

func run(s Settings) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client, err := connect(s, rest.ContentConfig{}, nil)
	if err != nil {
		return err
	}
	writers, err := seed(ctx, s, client)
	if err != nil {
		return err
	}
	observers, err := observe(ctx, s)
	if err != nil {
		return err
	}
	fmt.Println("ready") // whoever started this may now kill the server

	writing, enough := context.WithCancel(ctx)
	done := start(writing, writers, s.rate)
	_, err = io.Copy(io.Discard, os.Stdin)
	enough()
	done.Wait()
	if err != nil {
		return err
	}
	return judge(ctx, s, client, writers, observers)
}

// connect makes a client that has no limit of its own; wrap may look at its requests.
func connect(s Settings, content rest.ContentConfig, wrap transport.WrapperFunc) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.ContentConfig = content
	config.Wrap(wrap)
	return kubernetes.NewForConfig(config)
}
