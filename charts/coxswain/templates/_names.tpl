{{- define "coxswain.name" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- /* Labels that select pods: never change them. Call with (list $ "component"). */ -}}
{{- define "coxswain.selector" -}}
app.kubernetes.io/name: coxswain
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "coxswain.labels" -}}
{{ include "coxswain.selector" . }}
app.kubernetes.io/part-of: coxswain
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end }}

{{- /* Pods behind the Service of the API, whichever Deployment they are of. */ -}}
{{- define "coxswain.apiSelector" -}}
app.kubernetes.io/name: coxswain
app.kubernetes.io/instance: {{ .Release.Name }}
coxswain.dev/door: api
{{- end }}

{{- define "coxswain.databaseSecret" -}}
{{- default (printf "%s-database" (include "coxswain.name" .)) .Values.database.existingSecret -}}
{{- end }}

{{- define "coxswain.localTokenSecret" -}}
{{- default (printf "%s-local-token" (include "coxswain.name" .)) .Values.sidecar.localTokenSecret -}}
{{- end }}

{{- define "coxswain.auditKeySecret" -}}
{{- default (printf "%s-audit-key" (include "coxswain.name" .)) .Values.audit.existingSecret -}}
{{- end }}

{{- /* Not empty where anybody may be told of anything: only then the egress gateway needs a right at all. */ -}}
{{- define "coxswain.tellsCallbacks" -}}
{{- if and .Values.callbacks.enabled .Values.callbacks.allowedDomains }}yes{{ end }}
{{- end }}
