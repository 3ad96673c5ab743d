{{- /* The API's container, the same beside the operator and alone. Call with (list $ "account folder"). */ -}}
{{- define "coxswain.sidecarContainer" -}}
{{- $ := index . 0 -}}
name: sidecar
image: {{ $.Values.image.operator }}
imagePullPolicy: {{ $.Values.image.pullPolicy }}
args: [sidecar]
env:
  {{- include "coxswain.logEnv" $ | nindent 2 }}
  {{- include "coxswain.metricsEnv" $ | nindent 2 }}
  {{- include "coxswain.tracesEnv" $ | nindent 2 }}
  {{- include "coxswain.alertEnv" $ | nindent 2 }}
  {{- include "coxswain.databaseEnv" (list $ "sidecar") | nindent 2 }}
  - {name: COXSWAIN_INSTALLATION, value: {{ $.Values.installation | quote }}}
  {{- include "coxswain.weightEnv" $ | nindent 2 }}
  - {name: COXSWAIN_PORT, value: "8080"}
  - {name: COXSWAIN_HEALTH_PORT, value: "9090"}
  - {name: COXSWAIN_ACCOUNT_FOLDER, value: {{ index . 1 }}}
  {{- include "coxswain.peopleEnv" $ | nindent 2 }}
  {{- include "coxswain.artifactEnv" $ | nindent 2 }}
  {{- include "coxswain.tlsEnv" $ | nindent 2 }}
  {{- with $.Values.sidecar.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - {name: api, containerPort: 8080}
  - {name: api-health, containerPort: 9090}
  {{- include "coxswain.tlsPorts" $ | nindent 2 }}
{{ include "coxswain.probes" "api-health" }}
resources: {{- toYaml $.Values.sidecar.resources | nindent 2 }}
{{ include "coxswain.containerSecurity" . }}
volumeMounts:
  - {name: sidecar-account, mountPath: {{ index . 1 }}, readOnly: true}
  {{- include "coxswain.peopleMounts" $ | nindent 2 }}
  {{- include "coxswain.tlsMounts" $ | nindent 2 }}
  {{- include "coxswain.databaseMounts" $ | nindent 2 }}
  - {name: tmp, mountPath: /tmp}
{{- end }}
