{{- define "tradewind.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- /* Arguments: the root, a component. */}}
{{- define "tradewind.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "tradewind.labels" -}}
{{ include "tradewind.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "tradewind.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* One environment variable for each setting. 1e+06 is no whole number to Tradewind. */}}
{{- define "tradewind.settings" -}}
{{- range $name, $value := . }}
- name: TRADEWIND_{{ $name | upper }}
  value: {{ if and (kindIs "float64" $value) (eq (floor $value) $value) }}{{ int64 $value | quote }}{{ else }}{{ $value | quote }}{{ end }}
{{- end }}
{{- end }}

{{- /* Arguments: the root, a component, and its own settings. */}}
{{- define "tradewind.environment" -}}
{{- include "tradewind.settings" (merge (dict) .settings .root.Values.settings) }}
{{- range $name, $where := .root.Values.secretSettings }}
- name: TRADEWIND_{{ $name | upper }}
  valueFrom:
    secretKeyRef:
      name: {{ $where.secret }}
      key: {{ $where.key }}
{{- end }}
{{- end }}

{{- /* Arguments: the root, a component. What a worker and a learner have in common; each is known to the group by its pod. */}}
{{- define "tradewind.member" -}}
- name: TRADEWIND_GROUP_INSTANCE_ID
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: TRADEWIND_STATE_DIR
  value: /var/lib/tradewind/state
- name: TRADEWIND_METRICS_PORT
  value: {{ .Values.metricsPort | quote }}
- name: TRADEWIND_METRICS_ADDRESS
  value: 0.0.0.0
{{- end }}

{{- define "tradewind.probes" -}}
{{- /* A start reads the shared topics and, after a crash, the changelog: readiness tells when that is done. */}}
startupProbe:
  httpGet: {path: /livez, port: metrics}
  periodSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{- define "tradewind.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "tradewind.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "tradewind.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.filesFromSecret }}
- name: files
  mountPath: /etc/tradewind/files
  readOnly: true
{{- end }}
{{- end }}

{{- define "tradewind.volumes" -}}
- name: tmp
  emptyDir: {}
{{- if .Values.filesFromSecret }}
- name: files
  secret:
    secretName: {{ .Values.filesFromSecret }}
{{- end }}
{{- end }}
