{{- /* Whether a process may be asked for metrics. */ -}}
{{- define "coxswain.metricsEnv" -}}
- {name: COXSWAIN_METRICS, value: {{ .Values.monitoring.enabled | quote }}}
{{- with .Values.traces.endpoint }}
- {name: COXSWAIN_TRACES_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- end }}

{{- /* Not empty where the cluster has the kinds of the Prometheus operator and there is anything to read. */ -}}
{{- define "coxswain.prometheusOperator" -}}
{{- if and .Values.monitoring.enabled (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1") }}yes{{ end }}
{{- end }}

{{- /* The pods that have metrics. */ -}}
{{- define "coxswain.measuredPods" -}}
matchLabels: {app.kubernetes.io/name: coxswain, app.kubernetes.io/instance: {{ .Release.Name }}}
matchExpressions: [{key: app.kubernetes.io/component, operator: In, values: [operator, api, models, egress, channels]}]
{{- end }}

{{- /* Metadata of one of them. Call with (list $ "name" its-values). */ -}}
{{- define "coxswain.monitoringMetadata" -}}
name: {{ index . 1 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "coxswain.labels" (list (index . 0) "monitoring") | nindent 2 }}
  {{- with (index . 2).labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
