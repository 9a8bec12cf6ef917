package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	group    = "bench" // of the certificate that the rows use
	seeders  = 8
	progress = 2 * time.Second
)

// admit lets the user of the rows in: by a binding like anybody's, not as a superuser.
func (b *bench) admit() error {
	body := object("binding", "GROUP", group)
	return b.ensure(call{method: "POST", path: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", body: body})
}

// seed makes the data set where it is not there yet: pods that run, and deployments.
func (b *bench) seed() error {
	client := b.client()
	for _, name := range []string{namespace, newNamespace, fanNamespace} {
		body := object("namespace", "NAME", name)
		if err := b.ensure(call{method: "POST", path: "/api/v1/namespaces", body: body}); err != nil {
			return err
		}
		// A controller's work, and controllers do not run here; pods are refused without it.
		account := call{method: "POST", path: "/api/v1/namespaces/" + name + "/serviceaccounts", body: object("account")}
		if err := b.ensure(account); err != nil {
			return err
		}
	}
	last := call{method: "GET", path: pods + "/" + podName(b.pods-1)}
	if _, err := b.do(client, last); err == nil {
		fmt.Fprintln(os.Stderr, "the data set is there")
		return nil
	}
	if err := b.each("pods", b.pods, func(n int) []call { return runningPod(namespace, n) }); err != nil {
		return err
	}
	if err := b.each("watched pods", fanPods, func(n int) []call { return runningPod(fanNamespace, n) }); err != nil {
		return err
	}
	return b.each("deployments", deployments, func(n int) []call { return []call{applyDeployment(n, 0)} })
}

func runningPod(in string, number int) []call {
	name := podName(number)
	node := fmt.Sprintf("node-%04d", number/100)
	return []call{
		{method: "POST", path: "/api/v1/namespaces/" + in + "/pods?fieldManager=bench", body: object("pod", "NAME", name, "NODE", node)},
		{method: "PATCH", path: "/api/v1/namespaces/" + in + "/pods/" + name + "/status", contentType: strategic, body: object("running")},
	}
}

// clean removes what the row create has made.
func (b *bench) clean() error {
	client := b.client()
	_, err := b.do(client, call{method: "DELETE", path: "/api/v1/namespaces/" + newNamespace + "/pods?gracePeriodSeconds=0"})
	return err
}

// ensure makes something that may be there already.
func (b *bench) ensure(c call) error {
	_, err := b.do(b.client(), c)
	if err != nil && strings.Contains(err.Error(), "409") {
		return nil
	}
	return err
}

// each makes calls for all numbers, in parallel, and says now and then how far it is.
func (b *bench) each(what string, total int, calls func(int) []call) error {
	var next, failed atomic.Int64
	var group sync.WaitGroup
	faults := make([]error, seeders)
	for index := range faults {
		group.Go(func() {
			client := b.client()
			for failed.Load() == 0 {
				n := int(next.Add(1)) - 1
				if n >= total {
					return
				}
				for _, each := range calls(n) {
					if _, err := b.do(client, each); err != nil {
						faults[index] = err
						failed.Add(1)
						return
					}
				}
			}
		})
	}
	done := make(chan struct{})
	go report(what, &next, total, done)
	group.Wait()
	close(done)
	return errors.Join(faults...)
}

func report(what string, next *atomic.Int64, total int, done chan struct{}) {
	tick := time.NewTicker(progress)
	defer tick.Stop()
	for {
		select {
		case <-done:
			fmt.Fprintf(os.Stderr, "  %d %s\n", total, what)
			return
		case <-tick.C:
			fmt.Fprintf(os.Stderr, "  %d of %d %s\n", min(int(next.Load()), total), total, what)
		}
	}
}
