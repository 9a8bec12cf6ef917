// Asks upstream's scheduler plugins about clusters: one JSON object per line on stdin, with the
// objects of a cluster and a pod, gives one line on stdout: the nodes that fit with their scores, or
// why none does and what preemption makes of it. See ../record_upstream.py.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	internalcache "k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodevolumelimits"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
)

// nominator knows pods that wait for a node.
type nominator map[string][]fwk.PodInfo

func (nominator) AddNominatedPod(klog.Logger, fwk.PodInfo, *fwk.NominatingInfo) {}
func (nominator) DeleteNominatedPodIfExists(*v1.Pod)                            {}
func (nominator) UpdateNominatedPod(klog.Logger, *v1.Pod, fwk.PodInfo)          {}
func (n nominator) NominatedPodsForNode(node string) []fwk.PodInfo              { return n[node] }

type activator struct{}

func (activator) Activate(klog.Logger, map[string]*v1.Pod) {}

type question struct {
	Objects []json.RawMessage `json:"objects"`
	Pod     json.RawMessage   `json:"pod"`
}

type answer struct {
	Message  string                      `json:"message"`
	Post     string                      `json:"post"`
	Feasible []string                    `json:"feasible"`
	Scores   map[string]map[string]int64 `json:"scores"`
}

// cluster is what informers would know.
type cluster struct {
	informers informers.SharedInformerFactory
	nominated nominator
	nodes     []*v1.Node
	pods      []*v1.Pod
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func decode(raw []byte) runtime.Object {
	obj, _, err := scheme.Codecs.UniversalDeserializer().Decode(raw, nil, nil)
	must(err)
	return obj
}

func (c *cluster) add(raw []byte) runtime.Object {
	core, storage := c.informers.Core().V1(), c.informers.Storage().V1()
	obj := decode(raw)
	switch o := obj.(type) {
	case *v1.Node:
		c.nodes = append(c.nodes, o)
		must(core.Nodes().Informer().GetIndexer().Add(o))
	case *v1.Pod:
		c.addPod(o)
		must(core.Pods().Informer().GetIndexer().Add(o))
	case *v1.Namespace:
		must(core.Namespaces().Informer().GetIndexer().Add(o))
	case *v1.Service:
		must(core.Services().Informer().GetIndexer().Add(o))
	case *v1.PersistentVolumeClaim:
		must(core.PersistentVolumeClaims().Informer().GetIndexer().Add(o))
	case *v1.PersistentVolume:
		must(core.PersistentVolumes().Informer().GetIndexer().Add(o))
	case *storagev1.StorageClass:
		must(storage.StorageClasses().Informer().GetIndexer().Add(o))
	case *storagev1.CSINode:
		must(storage.CSINodes().Informer().GetIndexer().Add(o))
	case *appsv1.ReplicaSet:
		must(c.informers.Apps().V1().ReplicaSets().Informer().GetIndexer().Add(o))
	case *policyv1.PodDisruptionBudget:
		must(c.informers.Policy().V1().PodDisruptionBudgets().Informer().GetIndexer().Add(o))
	default:
		panic(fmt.Sprintf("unexpected %T", o))
	}
	return obj
}

func (c *cluster) addPod(pod *v1.Pod) {
	if pod.Spec.NodeName != "" {
		c.pods = append(c.pods, pod)
	} else if node := pod.Status.NominatedNodeName; node != "" {
		info, err := framework.NewPodInfo(pod)
		must(err)
		c.nominated[node] = append(c.nominated[node], info)
	}
}

// defaultProfile is the default one without DynamicResources, which needs more than informers.
func defaultProfile() *config.KubeSchedulerProfile {
	configuration, err := latest.Default()
	must(err)
	profile := &configuration.Profiles[0]
	var enabled []config.Plugin
	for _, plugin := range profile.Plugins.MultiPoint.Enabled {
		if plugin.Name != "DynamicResources" {
			enabled = append(enabled, plugin)
		}
	}
	profile.Plugins.MultiPoint.Enabled = enabled
	return profile
}

func (c *cluster) framework(ctx context.Context, snapshot *internalcache.Snapshot) framework.Framework {
	csiNodes := c.informers.Storage().V1().CSINodes().Lister()
	found, err := frameworkruntime.NewFramework(ctx, plugins.NewInTreeRegistry(), defaultProfile(),
		frameworkruntime.WithSnapshotSharedLister(snapshot),
		frameworkruntime.WithMutableSnapshotLister(snapshot),
		frameworkruntime.WithInformerFactory(c.informers),
		frameworkruntime.WithClientSet(fake.NewClientset()),
		frameworkruntime.WithPodNominator(c.nominated),
		frameworkruntime.WithPodActivator(activator{}),
		frameworkruntime.WithEventRecorder(&events.FakeRecorder{}),
		frameworkruntime.WithWaitingPods(frameworkruntime.NewWaitingPodsMap()),
		frameworkruntime.WithPodsInPreBind(frameworkruntime.NewPodsInPreBindMap()),
		frameworkruntime.WithSharedCSIManager(nodevolumelimits.NewCSIManager(csiNodes)))
	must(err)
	return found
}

// filter does what the scheduler does between popping a pod and scoring nodes.
func filter(ctx context.Context, f framework.Framework, state *framework.CycleState, pod *v1.Pod,
	lister fwk.NodeInfoLister) ([]fwk.NodeInfo, framework.Diagnosis, error) {
	diagnosis := framework.Diagnosis{NodeToStatus: framework.NewDefaultNodeToStatus()}
	result, status, limiting := f.RunPreFilterPlugins(ctx, state, pod)
	if !status.IsSuccess() {
		if !status.IsRejected() {
			return nil, diagnosis, status.AsError()
		}
		diagnosis.NodeToStatus.SetAbsentNodesStatus(status)
		diagnosis.PreFilterMsg = status.Message()
		return nil, diagnosis, nil
	}
	candidates, err := lister.List()
	must(err)
	if !result.AllNodes() {
		candidates = nil
		for name := range result.NodeNames {
			if node, err := lister.Get(name); err == nil {
				candidates = append(candidates, node)
			}
		}
		names := limiting.UnsortedList()
		sort.Strings(names)
		diagnosis.NodeToStatus.SetAbsentNodesStatus(fwk.NewStatus(fwk.UnschedulableAndUnresolvable,
			fmt.Sprintf("node(s) didn't satisfy plugin(s) %v", names)))
	}
	var feasible []fwk.NodeInfo
	for _, node := range candidates {
		status := f.RunFilterPluginsWithNominatedPods(ctx, state, pod, node)
		switch {
		case status.IsSuccess():
			feasible = append(feasible, node)
		case status.IsRejected():
			diagnosis.NodeToStatus.Set(node.Node().Name, status)
		default:
			return nil, diagnosis, status.AsError()
		}
	}
	return feasible, diagnosis, nil
}

func ask(q question) answer {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := &cluster{informers: informers.NewSharedInformerFactory(fake.NewClientset(), 0), nominated: nominator{}}
	for _, raw := range q.Objects {
		c.add(raw)
	}
	pod := c.add(q.Pod).(*v1.Pod)
	snapshot := internalcache.NewSnapshot(c.pods, c.nodes)
	f, state := c.framework(ctx, snapshot), framework.NewCycleState()
	a := answer{Feasible: []string{}, Scores: map[string]map[string]int64{}}
	feasible, diagnosis, err := filter(ctx, f, state, pod, snapshot.NodeInfos())
	if err != nil {
		a.Message = "error: " + err.Error()
		return a
	}
	if len(feasible) == 0 {
		a.Message = (&framework.FitError{Pod: pod, NumAllNodes: len(c.nodes), Diagnosis: diagnosis}).Error()
		_, status := f.RunPostFilterPlugins(ctx, state, pod, diagnosis.NodeToStatus)
		a.Post = status.Message()
		return a
	}
	must(f.RunPreScorePlugins(ctx, state, pod, feasible).AsError())
	scores, status := f.RunScorePlugins(ctx, state, pod, feasible)
	must(status.AsError())
	for _, node := range scores {
		a.Feasible = append(a.Feasible, node.Name)
		for _, score := range node.Scores {
			if score.Score == 0 {
				continue
			}
			if a.Scores[score.Name] == nil {
				a.Scores[score.Name] = map[string]int64{}
			}
			a.Scores[score.Name][node.Name] = score.Score
		}
	}
	sort.Strings(a.Feasible)
	return a
}

func main() {
	metrics.Register()
	klog.SetLogger(logr.Discard())
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		must(json.Unmarshal(lines.Bytes(), &q))
		must(out.Encode(ask(q)))
	}
	must(lines.Err())
}
